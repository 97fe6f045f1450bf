import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, matrix } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { type RidgeSolution, columnSystem, rowSystem } from './ridge-system.ts';
import { type ClassWeight, classWeights, rowWeights } from './row-weights.ts';
import { weightedRows } from '../linalg/vectors.ts';

/** The classes of the rows, and what each counts. */
export interface RidgeTask {
  /** Class index per row. */
  readonly y: Int32Array;
  readonly classes: number;
  readonly classWeight: ClassWeight;
}

/** The best of several penalties, and its fit. */
export interface RidgeChoice {
  readonly alpha: number;
  /**
   * Mean squared leave-one-out error of each alpha, over rows and columns of targets, errors times the root of the
   * row's weight.
   */
  readonly errors: readonly number[];
  /** Decision value of each row from all others, for the chosen alpha. Shape (n, k). */
  readonly leftOut: Float64Array;
  /** Shape (d, k): one column for two classes, else one a class. */
  readonly weights: Matrix;
  readonly intercept: Float32Array;
}

/**
 * Ridge regression to targets of -1 and 1 for every alpha, in closed form, and the alpha of the least squared
 * leave-one-out error: that of scikit-learn's RidgeClassifierCV (the first of equals). With Xc the centred rows, both
 * times the root of their weight, the system is Xc·Xcᵀ + alpha (n rows) or Xcᵀ·Xc + alpha (d columns), whichever is
 * smaller. A row's error when it is left out is its residual over 1 - h, h its leverage (Allen 1974; Golub, Heath and
 * Wahba 1979), with the free intercept's share of h. Throws FIT_INVALID when both n and d exceed 8192, INTERRUPTED.
 */
export async function ridgePath(
  X: Matrix,
  { y, classes, classWeight }: RidgeTask,
  alphas: readonly number[],
  context?: FitContext,
): Promise<RidgeChoice> {
  const byClass = classWeights(y, classes, classWeight);
  const weights = rowWeights(y, (c) => byClass[c]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const roots = weights.map(Math.sqrt);
  const targets = targetsOf(y, classes);
  const k = targets.length / y.length;
  const meanTarget = weightedRows(shares, targets, k);
  const T = targets.map((t, at) => roots[Math.floor(at / k)]! * (t - meanTarget[at % k]!));
  const mean = new Float32Array(await transposedTimesThin(X, shares, 1, 'float32'));
  const system = await (X.rows <= X.cols ? rowSystem : columnSystem)(X, mean, roots, T, k, context);

  let best: { alpha: number; error: number; solution: RidgeSolution; lost: Float64Array } | undefined;
  const errors: number[] = [];
  for (const alpha of alphas) {
    checkAborted(context);
    const solution = await system(alpha);
    const { residuals, leverages } = solution;
    const lost = residuals.map((r, at) => {
      const i = Math.floor(at / k);
      return r / (1 - leverages[i]! - shares[i]!);
    });
    const error = lost.reduce((sum, e) => sum + e * e, 0) / lost.length;
    errors.push(error);
    if (best === undefined || error < best.error) best = { alpha, error, solution, lost };
  }
  if (best === undefined) throw new PermafrostError('FIT_INVALID', 'There is no alpha to choose from.');
  const { weights: W } = await best.solution.finish();
  const shift = weightedRows(new Float64Array(mean), W, k);
  return {
    alpha: best.alpha,
    errors,
    leftOut: targets.map((t, at) => t - best.lost[at]! / roots[Math.floor(at / k)]!),
    weights: matrix(X.cols, k, new Float32Array(W)),
    intercept: Float32Array.from(meanTarget, (t, c) => t - shift[c]!),
  };
}

/** The targets (n, k): -1 and 1 in one column for two classes, else a column for each class against the rest. */
function targetsOf(y: Int32Array, classes: number): Float64Array {
  if (classes === 2) return Float64Array.from(y, (c) => (c === 1 ? 1 : -1));
  return Float64Array.from({ length: y.length * classes }, (_, at) =>
    y[Math.floor(at / classes)] === at % classes ? 1 : -1,
  );
}
