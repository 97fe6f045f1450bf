import type { Matrix } from '../../core/matrix.ts';
import type { RowSource } from '../../core/row-source.ts';
import type { FitContext } from '../head.ts';
import { logisticLoss } from '../solvers/logistic-loss.ts';
import { sharesOf } from '../solvers/row-weights.ts';
import { scaleAdd } from '../solvers/vectors.ts';
import type { Preconditioner } from './streamed-newton-cg.ts';
import { addPoint, inner, moved, origin, streamedProblem } from './streamed-problem.ts';

/** Bytes of rows that are kept for it. */
export const SAMPLE_BYTES = 2 ** 27;
/** No more rows than one in so many of all, or so many a column: more would cost more than they are worth. */
const LEAST_SHARE = 8;
const MOST_PER_COLUMN = 16;
/** From so many rows a column on a sample tells the curvature well, whatever the penalty. */
const ENOUGH_PER_COLUMN = 8;
/** What the sample does not see must be flattened by the penalty: at least so much of the mean curvature that a row of the sample brings. */
const LEAST_PENALTY = 0.3;
/** Steps of the inner conjugate gradients, and the share of the residual's square that ends them. */
const MOST_STEPS = 30;
const ENOUGH = 0.01;

/** How many rows to keep of (rows, cols). */
export function sampleRows({ rows, cols }: Pick<RowSource, 'rows' | 'cols'>): number {
  const room = Math.floor(SAMPLE_BYTES / (4 * cols));
  return Math.max(1, Math.min(room, Math.ceil(rows / LEAST_SHARE), MOST_PER_COLUMN * cols));
}

/** The logistic problem on the sample alone. */
export interface SampledTask {
  /** Shape (m, d). */
  readonly X: Matrix;
  /** Class and weight of each row, shape (m). */
  readonly y: Int32Array;
  readonly weights: Float64Array;
  readonly k: number;
  readonly penalty: number;
  readonly mean: Float64Array;
  readonly spread: number;
  readonly unit: number;
}

/**
 * The inverse of the curvature on a sample of the rows, which is in memory: by conjugate gradients that read no file (subsampled Newton methods:
 * Byrd, Chin, Neveitt and Nocedal 2011). It halves the passes where the penalty or many rows make the sample's curvature like that of all;
 * elsewhere it would add some (measured: docs/streams.md), and then there is none: undefined.
 */
export function samplePreconditioner(
  { X, y, weights, k, penalty, mean, spread, unit }: SampledTask,
  context?: FitContext,
): Preconditioner | undefined {
  const { shares } = sharesOf(weights);
  const classes = new Float64Array(k === 1 ? 2 : k);
  y.forEach((c, i) => (classes[c]! += shares[i]!));
  const bend = classes.reduce((sum, share) => sum + share * (1 - share), 0) / classes.length;
  /** The curvature of a direction that one row of the sample alone brings; what all rows have in it is of this size too. */
  const floor = (bend * spread) / X.rows;
  if (X.rows < ENOUGH_PER_COLUMN * X.cols && penalty < LEAST_PENALTY * floor) return undefined;
  const source = { rows: X.rows, cols: X.cols, starts: [0, X.rows], read: () => Promise.resolve(X) };
  const loss = logisticLoss(y, k, shares);
  const problem = streamedProblem(source, { loss, penalty: penalty + floor, mean, unit }, context);

  return async (point, residual) => {
    const solution = origin(X.cols, k);
    const left = moved(residual, 0, residual);
    const direction = moved(residual, 0, residual);
    const whole = inner(left, left);
    let squared = whole;
    for (let i = 0; i < MOST_STEPS && squared > ENOUGH * whole; i++) {
      const bent = await problem.curvatureAt(point, direction);
      const along = inner(direction, bent);
      if (!(along > 0)) break;
      addPoint(solution, squared / along, direction);
      addPoint(left, -squared / along, bent);
      const next = inner(left, left);
      scaleAdd(direction.coef, next / squared, left.coef);
      scaleAdd(direction.bias, next / squared, left.bias);
      squared = next;
    }
    return solution;
  };
}
