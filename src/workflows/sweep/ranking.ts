import type { RankedCandidate, SweepCandidate, SweepConfiguration } from '../../results/sweep-result.ts';
import { type Answered, compareWithBest } from '../../classify/cross-validation/compare.ts';
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
  const { scores, predictions, losses, converged, iterations, fitMs } = found;
  const classes = Buffer.alloc(2 * predictions.length);
  predictions.forEach((c, i) => classes.writeUInt16LE(c, 2 * i));
  const lost = Buffer.alloc(4 * losses.length);
  losses.forEach((loss, i) => lost.writeFloatLE(loss, 4 * i));
  return {
    id,
    features,
    ...configuration,
    params: { ...configuration.params },
    scores: structuredClone(scores) as LedgerEntry['scores'],
    fitMs,
    converged,
    iterations,
    predictions: classes.toString('base64'),
    losses: lost.toString('base64'),
  };
}

/** What an entry's heads said of the training images that they did not see, as far as a comparison needs it. */
function answeredOf({ predictions, losses = '' }: LedgerEntry, score: SweepScore): Answered {
  const classes = Buffer.from(predictions, 'base64');
  const guess = Int32Array.from({ length: classes.length / 2 }, (_, i) => classes.readUInt16LE(2 * i));
  if (score !== 'logLoss') return { guess };
  const lost = Buffer.from(losses, 'base64');
  return { guess, losses: Float32Array.from({ length: lost.length / 4 }, (_, i) => lost.readFloatLE(4 * i)) };
}

/** Whether a kept result can be one of so many images and classes: a number for each of them, and shares as scores. */
export function isOfImages(entry: LedgerEntry, images: number, classes: number): boolean {
  const { scores, fitMs, iterations } = entry;
  const guess = Buffer.from(entry.predictions, 'base64');
  const losses = entry.losses === undefined ? undefined : Buffer.from(entry.losses, 'base64');
  if (guess.length !== 2 * images || (losses !== undefined && losses.length !== 4 * images)) return false;
  for (let i = 0; i < images; i++) {
    if (guess.readUInt16LE(2 * i) >= classes) return false;
    if (losses !== undefined && !(losses.readFloatLE(4 * i) >= 0)) return false;
  }
  const isShare = (value: number): boolean => value >= 0 && value <= 1;
  const shares = [scores.accuracy, scores.balancedAccuracy].flatMap(({ value, folds }) => [value, ...folds]);
  const losing = [scores.logLoss.value, ...scores.logLoss.folds, fitMs, iterations];
  return shares.every(isShare) && losing.every((value) => value >= 0);
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
  const answers = entries.map((entry) => answeredOf(entry, score));
  const compared = compareWithBest(score, y, answers);
  return entries.map((entry, at) => ({ ...candidateOf(entry, reused.has(entry.id)), rank: at + 1, ...compared[at]! }));
}
