import { PermafrostError } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { Rows } from '../../core/rows.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { weightedRows } from '../linalg/vectors.ts';
import { columnFit, columnSystem, columnSystemBytes } from './ridge-columns.ts';
import { rowSystem, rowSystemBytes } from './ridge-rows.ts';
import type { RidgeMeans, RidgeTargets } from './ridge-system.ts';
import { classWeights, type ClassWeight } from './class-weights.ts';

/** The classes of the rows, and what each counts. */
export interface RidgeTask {
  /** Class index per row. */
  readonly y: Int32Array;
  readonly classes: number;
  readonly classWeight: ClassWeight;
}

/** A linear model. */
export interface RidgeFit {
  /** Shape (d, k): one column for two classes, else one a class. */
  readonly weights: Matrix;
  readonly intercept: Float32Array;
}

/** The best of several penalties, and its fit. */
export interface RidgeChoice extends RidgeFit {
  readonly alpha: number;
  /** Mean squared leave-one-out error of each alpha, errors times the root of the row's weight. */
  readonly errors: readonly number[];
}

/** Peak bytes of ridge without the rows, or the block. */
export const ridgeBytes = ({ rows, cols, inMemory }: RowsShape & { readonly inMemory: boolean }): number =>
  inMemory && rows <= cols ? rowSystemBytes(rows) : columnSystemBytes(cols);

/**
 * Ridge regression to targets of -1 and 1 in closed form, in one pass. Throws FIT_INVALID above 8192 columns and where
 * the system is singular to rounding, INTERRUPTED, and what reading throws.
 */
export async function ridgeFit(rows: Rows, task: RidgeTask, alpha: number, context?: FitContext): Promise<RidgeFit> {
  const { W, ...means } = await columnFit(rows, targetsOf(task), alpha, context);
  return fitOf(means, W);
}

/**
 * The same for every alpha, and the alpha of the least squared leave-one-out error, first of equals, as scikit-learn's
 * RidgeClassifierCV. The system is the smaller of Xc·Xcᵀ + alpha (in memory) and Xcᵀ·Xc + alpha; in blocks the errors
 * take one more pass. Throws as ridgeFit; in memory FIT_INVALID only where both n and d exceed 8192.
 */
export async function ridgePath(
  rows: Rows,
  task: RidgeTask,
  alphas: readonly number[],
  context?: FitContext,
): Promise<RidgeChoice> {
  if (alphas.length === 0) throw new PermafrostError('FIT_INVALID', 'There is no alpha to choose from.');
  const X = rows.matrix;
  const system =
    X !== undefined && X.rows <= X.cols
      ? await rowSystem(X, targetsOf(task), context)
      : await columnSystem(rows, targetsOf(task), context);
  const errors = await system.errorsOf(alphas);
  const best = errors.reduce((least, error, a) => (error < errors[least]! ? a : least), 0);
  const alpha = alphas[best]!;
  return { ...fitOf(system, await system.weightsOf(alpha)), alpha, errors };
}

const targetsOf = ({ y, classes, classWeight }: RidgeTask): RidgeTargets => ({
  y,
  byClass: classWeights(y, classes, classWeight),
});

function fitOf({ mean, meanTarget }: RidgeMeans, W: Float64Array): RidgeFit {
  const shift = weightedRows(mean, W, meanTarget.length);
  return {
    weights: matrix(mean.length, meanTarget.length, new Float32Array(W)),
    intercept: Float32Array.from(meanTarget, (t, c) => t - shift[c]!),
  };
}
