import type { Matrix } from '../../core/matrix.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import type { FitContext } from '../head.ts';
import { scaleAdd } from '../linalg/vectors.ts';
import type { Preconditioner } from './streamed-newton-cg.ts';
import type { StreamedLoss } from './streamed-loss.ts';
import { addPoint, inner, moved, origin, streamedProblem } from './stream-design.ts';

/** Bytes of rows that are kept for it. */
export const SAMPLE_BYTES = 2 ** 27;
/** No more rows than one in so many of all, or so many a column: more would cost more than they are worth. */
const LEAST_SHARE = 8;
const MOST_PER_COLUMN = 16;
/** From so many rows a column on a sample tells the curvature well, whatever the penalty. */
const ENOUGH_PER_COLUMN = 8;
/**
 * What the sample does not see must be flattened by the penalty: at least so much of the mean curvature that a row of
 * the sample brings.
 */
const LEAST_PENALTY = 0.3;
/** Steps of the inner conjugate gradients, and the share of the residual's square that ends them. */
const MOST_STEPS = 30;
const ENOUGH = 0.01;

/** How many rows to keep of (rows, cols). */
export function sampleRows({ rows, cols }: Pick<Rows, 'rows' | 'cols'>): number {
  const room = Math.floor(SAMPLE_BYTES / (4 * cols));
  return Math.max(1, Math.min(room, Math.ceil(rows / LEAST_SHARE), MOST_PER_COLUMN * cols));
}

/** The problem on the sample alone. */
export interface SampledTask extends Pick<StreamedLoss, 'loss' | 'bend'> {
  /** Shape (m, d). */
  readonly X: Matrix;
  readonly penalty: number;
  readonly mean: Float64Array;
  readonly spread: number;
  readonly unit: number;
}

/**
 * The inverse of the curvature on a sample of the rows, which is in memory: by conjugate gradients that read no file
 * (subsampled Newton methods: Byrd, Chin, Neveitt and Nocedal 2011). It halves the passes where the penalty or many
 * rows make the sample's curvature like that of all; elsewhere it would add some (measured: docs/streams.md), and then
 * there is none: undefined.
 */
export function samplePreconditioner(
  { X, loss, bend, penalty, mean, spread, unit }: SampledTask,
  context?: FitContext,
): Preconditioner | undefined {
  /**
   * The curvature of a direction that one row of the sample alone brings; what all rows have in it is of this size too.
   */
  const floor = (bend * spread) / X.rows;
  if (X.rows < ENOUGH_PER_COLUMN * X.cols && penalty < LEAST_PENALTY * floor) return undefined;
  const task = { loss, penalty: penalty + floor, mean, unit };
  const problem = streamedProblem(matrixRows(X), task, context);

  return async (point, residual) => {
    const solution = origin(X.cols, loss.k);
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
