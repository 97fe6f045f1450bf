import { PermafrostError } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { weightedRows } from '../linalg/vectors.ts';
import { columnSystem, columnSystemBytes } from './ridge-columns.ts';
import { rowSystem, rowSystemBytes } from './ridge-rows.ts';
import type { RidgeSystem, RidgeTargets } from './ridge-system.ts';
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

/** Peak bytes of ridge without the rows, or the block, with so many penalties at once. */
export function ridgeBytes(
  { rows, cols, inMemory }: RowsShape & { readonly inMemory: boolean },
  alphas: number,
): number {
  return inMemory && rows <= cols ? rowSystemBytes(rows) : columnSystemBytes(cols, alphas, inMemory);
}

/**
 * Ridge regression to targets of -1 and 1 in closed form, in one pass. Throws FIT_INVALID above 8192 columns and where
 * the system is singular to rounding, INTERRUPTED, and what reading throws.
 */
export async function ridgeFit(rows: Rows, task: RidgeTask, alpha: number, context?: FitContext): Promise<RidgeFit> {
  const system = await columnSystem(rows, targetsOf(task), context);
  return fitOf(system, await system.solve(alpha));
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
  const X = rows.matrix;
  return X !== undefined && X.rows <= X.cols
    ? choose(await rowSystem(X, targetsOf(task), context), alphas, context)
    : choose(await columnSystem(rows, targetsOf(task), context), alphas, context);
}

const targetsOf = ({ y, classes, classWeight }: RidgeTask): RidgeTargets => ({
  y,
  byClass: classWeights(y, classes, classWeight),
});

async function choose<Solution>(
  system: RidgeSystem<Solution>,
  alphas: readonly number[],
  context?: FitContext,
): Promise<RidgeChoice> {
  const errors: number[] = [];
  let best: { readonly alpha: number; readonly error: number; readonly solution: Solution } | undefined;
  for (let from = 0; from < alphas.length; from += system.mostKept) {
    const some = alphas.slice(from, from + system.mostKept);
    const solutions: Solution[] = [];
    for (const alpha of some) {
      checkAborted(context);
      solutions.push(await system.solve(alpha));
    }
    for (const [a, error] of (await system.errorsOf(solutions)).entries()) {
      errors.push(error);
      if (best === undefined || error < best.error) best = { alpha: some[a]!, error, solution: solutions[a]! };
    }
  }
  if (best === undefined) throw new PermafrostError('FIT_INVALID', 'There is no alpha to choose from.');
  return { ...(await fitOf(system, best.solution)), alpha: best.alpha, errors };
}

async function fitOf<Solution>(system: RidgeSystem<Solution>, solution: Solution): Promise<RidgeFit> {
  const { mean, meanTarget } = system;
  const W = await system.weightsOf(solution);
  const shift = weightedRows(mean, W, meanTarget.length);
  return {
    weights: matrix(mean.length, meanTarget.length, new Float32Array(W)),
    intercept: Float32Array.from(meanTarget, (t, c) => t - shift[c]!),
  };
}
