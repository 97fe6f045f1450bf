import { matrix, type Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import * as metrics from '../evaluate/metrics.ts';
import type { TrainVal } from '../evaluate/split.ts';
import { linearProbabilities } from '../heads/linear.ts';
import { designOf } from '../solvers/choose-design.ts';
import { crossValidatePath, type PathScore } from '../solvers/path.ts';

/** Strengths that are tried: two a decade. */
const STRENGTHS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];
/** The strength where the rows are too few to be cross-validated. */
export const DEFAULT_STRENGTH = 10;
const STOP = { tol: 1e-4, maxIter: 100 };

/** Mean log loss of the rows that folds hold out, for one inverse strength C. */
export interface StrengthScore {
  readonly C: number;
  readonly logLoss: number;
}

/**
 * The inverse strength C of a logistic head's penalty with the least cross-validated log loss on X (n, d), rows
 * normalised row by row; the stronger penalty of equals. Accuracy is no guide: on few images it is the same over
 * decades of C, and the strongest of them gives probabilities near 1 / classes. `y`: class indices (n). Throws
 * FIT_INVALID, INTERRUPTED.
 */
export async function chooseStrength(
  X: Matrix,
  y: Int32Array,
  classes: number,
  folds: readonly TrainVal[],
  context?: FitContext,
): Promise<StrengthScore> {
  const task = { loss: 'logistic', y, classes, classWeight: 'none' } as const;
  const path = await crossValidatePath(await designOf(X, context), task, STRENGTHS, folds, STOP, context);
  const judged = folds.flatMap(({ val }) => val);
  const truth = Int32Array.from(judged, (i) => y[i]!);
  const scores = path.map((one) => ({ C: one.C, logLoss: metrics.logLoss(truth, heldOutProbabilities(one, judged)) }));
  return scores.reduce((best, one) => (one.logLoss < best.logLoss ? one : best));
}

function heldOutProbabilities({ heldOut, k }: PathScore, rows: readonly number[]): Matrix {
  const logits = matrix(rows.length, k);
  rows.forEach((i, at) => logits.data.set(heldOut.subarray(i * k, (i + 1) * k), at * k));
  return linearProbabilities(logits, new Float32Array(k));
}
