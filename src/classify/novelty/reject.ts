import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { FittedHead, HeadState } from '../head.ts';
import { matrixOf, tensorOf } from '../heads/fitted-state.ts';
import { comparesRows, MEASURES, noveltyScores, type Measure } from './novelty-score.ts';

/** When a head answers "unknown": a row whose novelty score lies above the threshold. */
export interface Reject {
  readonly measure: Measure;
  readonly threshold: number;
  /** The share of known images that was to be called unknown at most. */
  readonly rate: number;
  /** What the measure compares with: training rows, class means, or nothing. */
  readonly reference: Matrix | undefined;
}

/** The novelty score of each row of X, normalised as for the head, and whether it is unknown. */
export async function detectUnknown(
  { measure, threshold, reference }: Reject,
  head: FittedHead,
  X: Matrix,
): Promise<{ readonly scores: Float64Array; readonly unknown: readonly boolean[] }> {
  const scores = await noveltyScores(measure, head, X, reference);
  return { scores, unknown: Array.from(scores, (value) => value > threshold) };
}

/** The head's own training rows, where it keeps them: they need not be kept twice. */
const ownRows = (measure: Measure, state: HeadState): boolean => comparesRows(measure) && state.tensors.has('rows');

/** A reject as data, for the file of the head whose state is given. */
export function rejectState({ measure, threshold, rate, reference }: Reject, head: HeadState): HeadState {
  const kept = reference !== undefined && !ownRows(measure, head);
  return { json: { measure, threshold, rate }, tensors: new Map(kept ? [['reference', tensorOf(reference)]] : []) };
}

/** The reject that `rejectState` wrote, for that head. Throws HEAD_CORRUPT. */
export function loadReject(state: HeadState, head: FittedHead): Reject {
  const { measure: name, threshold, rate } = state.json;
  const measure = MEASURES.find((known) => known === name);
  const numbers = typeof threshold === 'number' && typeof rate === 'number';
  if (measure === undefined || !numbers || (measure === 'energy' && head.logits === undefined)) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored rule for "unknown" is ${JSON.stringify(state.json)}; expected one of ${MEASURES.join(', ')} that the head "${head.name}" has, a threshold and a rate. Train the head again.`,
    );
  }
  const compares = comparesRows(measure) || measure === 'mean-distance';
  const [from, key] = ownRows(measure, head.state) ? [head.state, 'rows'] : [state, 'reference'];
  const reference = compares ? matrixOf(from, key, undefined, head.features) : undefined;
  return { measure, threshold, rate, reference };
}
