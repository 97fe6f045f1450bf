import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { FittedHead, HeadState } from '../head.ts';
import { matrixOf, tensorOf } from '../heads/fitted-state.ts';
import { keptThreshold, shareBelow, type KeptScores } from './kept-scores.ts';
import { comparesRows, MEASURES, noveltyScores, type Measure } from './novelty-score.ts';

/** When a head answers "unknown": a row whose novelty score lies above the threshold. */
export interface Reject {
  readonly measure: Measure;
  readonly threshold: number;
  /** The share of known images that was to be called unknown at most. */
  readonly rate: number;
  /** What the measure compares with: training rows, class means, or nothing. */
  readonly reference: Matrix | undefined;
  /** The scores that the threshold was calibrated on; undefined in what older versions wrote. */
  readonly calibration?: KeptScores | undefined;
}

/** The same rule at another share of false rejects; undefined where it does not know the threshold for that. */
export function rejectAtRate(reject: Reject, rate: number): Reject | undefined {
  if (rate === reject.rate) return reject;
  const threshold = reject.calibration && keptThreshold(reject.calibration, rate);
  return threshold === undefined ? undefined : { ...reject, threshold, rate };
}

/** How strange rows are to a head. */
export interface Novelty {
  readonly scores: Float64Array;
  readonly unknown: readonly boolean[];
  /** The share of the calibrated images that are less strange than each; null where the rule does not tell. */
  readonly lessStrange: readonly (number | null)[];
}

/** The novelty score of each row of X, normalised as for the head, and whether it is unknown. */
export async function detectUnknown(
  { measure, threshold, reference, calibration }: Reject,
  head: FittedHead,
  X: Matrix,
): Promise<Novelty> {
  const scores = await noveltyScores(measure, head, X, reference);
  return {
    scores,
    unknown: Array.from(scores, (value) => value > threshold),
    lessStrange: Array.from(scores, (value) => (calibration === undefined ? null : shareBelow(calibration, value))),
  };
}

/** The head's own training rows, where it keeps them: they need not be kept twice. */
const ownRows = (measure: Measure, state: HeadState): boolean => comparesRows(measure) && state.tensors.has('rows');

/** A reject as data, for the file of the head whose state is given. */
export function rejectState({ measure, threshold, rate, reference, calibration }: Reject, head: HeadState): HeadState {
  const kept = reference !== undefined && !ownRows(measure, head);
  return {
    json: { measure, threshold, rate, ...(calibration && { calibration }) },
    tensors: new Map(kept ? [['reference', tensorOf(reference)]] : []),
  };
}

/** Kept scores as `rejectState` wrote them: ranks that ascend, and as many scores, none below the one before. */
function isKeptScores(value: unknown): value is KeptScores {
  if (typeof value !== 'object' || value === null) return false;
  const { images, ranks, scores } = value as Partial<Record<keyof KeptScores, unknown>>;
  if (!Array.isArray(ranks) || !Array.isArray(scores) || ranks.length === 0 || ranks.length !== scores.length)
    return false;
  const isRank = (rank: unknown, i: number): boolean =>
    Number.isInteger(rank) && (rank as number) > (i === 0 ? 0 : (ranks[i - 1] as number));
  const isScore = (score: unknown, i: number): boolean =>
    typeof score === 'number' && (i === 0 || score >= (scores[i - 1] as number));
  return (
    Number.isInteger(images) && ranks.every(isRank) && scores.every(isScore) && (images as number) >= ranks.at(-1)!
  );
}

/** The reject that `rejectState` wrote, for that head. Throws HEAD_CORRUPT. */
export function loadReject(state: HeadState, head: FittedHead): Reject {
  const { measure: name, threshold, rate, calibration } = state.json;
  const measure = MEASURES.find((known) => known === name);
  const numbers =
    typeof threshold === 'number' &&
    typeof rate === 'number' &&
    (calibration === undefined || isKeptScores(calibration));
  if (measure === undefined || !numbers || (measure === 'energy' && head.logits === undefined)) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored rule for "unknown" is ${JSON.stringify(state.json)}; expected one of ${MEASURES.join(', ')} that the head "${head.name}" has, a threshold and a rate. Train the head again.`,
    );
  }
  const compares = comparesRows(measure) || measure === 'mean-distance';
  const [from, key] = ownRows(measure, head.state) ? [head.state, 'rows'] : [state, 'reference'];
  const reference = compares ? matrixOf(from, key, undefined, head.features) : undefined;
  return { measure, threshold, rate, reference, ...(calibration !== undefined && { calibration }) };
}
