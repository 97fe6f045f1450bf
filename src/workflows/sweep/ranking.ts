import type { RankedCandidate, SweepCandidate, SweepConfiguration } from '../../results/sweep-result.ts';
import { compareWithBest } from '../../classify/cross-validation/compare.ts';
import type { LedgerEntry } from '../../store/format/sweep-ledger.ts';
import { changedParams } from '../train/figures.ts';
import type { SweepFinding } from './pool.ts';
import type { SweepPlan } from './plan.ts';
import type { SweepScore } from '../../classify/cross-validation/cross-scores.ts';

/** A finding as it is kept. */
export function entryOf(
  id: string,
  features: string,
  configuration: SweepConfiguration,
  found: Exclude<SweepFinding['found'], { problem: string }>,
): LedgerEntry {
  const { scores, predictions, converged, iterations, fitMs } = found;
  const bytes = new DataView(new ArrayBuffer(2 * predictions.length));
  predictions.forEach((c, i) => bytes.setUint16(2 * i, c, true));
  return {
    id,
    features,
    ...configuration,
    params: { ...configuration.params },
    scores: structuredClone(scores) as LedgerEntry['scores'],
    fitMs,
    converged,
    iterations,
    predictions: Buffer.from(bytes.buffer).toString('base64'),
  };
}

/** The classes that an entry's training images got when they were held out, shape (n). */
function predictionsOf({ predictions }: LedgerEntry): Int32Array {
  const bytes = Buffer.from(predictions, 'base64');
  return Int32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
}

/** A kept result as it is reported. */
export function candidateOf(entry: LedgerEntry, reused: boolean): SweepCandidate {
  const { id, head, params, cut, pooling, normalize, pca, views, scores, fitMs, converged, iterations } = entry;
  const changed = changedParams(head, params);
  return {
    id,
    head,
    params,
    changed,
    cut,
    pooling,
    normalize,
    pca,
    views,
    scores,
    fitMs,
    converged,
    iterations,
    reused,
  };
}

/** Whether a stands before b: by a score, then by log loss. */
export function byScore(
  score: SweepScore,
): (a: Pick<SweepCandidate, 'scores'>, b: Pick<SweepCandidate, 'scores'>) => number {
  const sign = score === 'logLoss' ? 1 : -1;
  return ({ scores: a }, { scores: b }) =>
    sign * (a[score].value - b[score].value) || a.logLoss.value - b.logLoss.value;
}

/** The best first; equal ones in the order of log loss, then as in the grid. */
export function ranked(
  { y, configurations }: SweepPlan,
  known: ReadonlyMap<string, LedgerEntry>,
  reused: ReadonlySet<string>,
  score: SweepScore,
): RankedCandidate[] {
  const entries = [...configurations.keys()].flatMap((id) => known.get(id) ?? []).sort(byScore(score));
  const compared = compareWithBest(y, entries.map(predictionsOf));
  return entries.map((entry, at) => ({ ...candidateOf(entry, reused.has(entry.id)), rank: at + 1, ...compared[at]! }));
}
