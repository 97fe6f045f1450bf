import type { RowsShape } from '../head.ts';
import { countClasses } from '../labels.ts';
import { conjugateGradients } from './conjugate-gradients.ts';
import { directBytes } from './direct-step.ts';
import { widenedBytes } from './column-design.ts';
import type { Design } from './design.ts';
import type { Loss } from './loss.ts';
import { keptObjective } from './kept-objective.ts';
import { scaled, type ObjectiveAt, type Vector, type Weights } from './objective.ts';

/** Bytes of rows that are kept at most. */
const MOST_BYTES = 2 ** 27;
/** No more rows than one in so many of all, or so many a column: more would cost more than they are worth. */
const LEAST_SHARE = 8;
const MOST_PER_COLUMN = 16;
/** From so many rows a column on a sample estimates the Hessian well, whatever the penalty. */
const ENOUGH_PER_COLUMN = 8;
/** The least penalty, of the mean Hessian that one sampled row brings: it must flatten what the sample does not see. */
const LEAST_PENALTY = 0.3;
/** Steps of conjugate gradients on the sample, and the part of the residual that ends them. */
const MOST_STEPS = 30;
const ENOUGH = 0.1;

/** How many rows to keep of (rows, cols). */
export function sampleSize({ rows, cols }: RowsShape): number {
  const room = Math.floor(MOST_BYTES / (4 * cols));
  return Math.max(1, Math.min(room, Math.ceil(rows / LEAST_SHARE), MOST_PER_COLUMN * cols));
}

/**
 * About `size` rows, ascending: half in proportion to their class in y, half equal for each class, evenly within a
 * class. So a rare class is seen too.
 */
export function sampledRows(y: Int32Array, size: number): Int32Array {
  const counts = countClasses(y, 1 + y.reduce((most, c) => Math.max(most, c), 0));
  const quotas = counts.map((count) => Math.min(count, Math.ceil((size / 2) * (count / y.length + 1 / counts.length))));
  const seen = new Int32Array(counts.length);
  return Int32Array.from(y.keys()).filter((i) => {
    const c = y[i]!;
    const before = seen[c]!++;
    // Row r of n of a class is one of its q where the count of those changes: q·r/n, rounded up.
    const taken = (r: number): number => Math.ceil((r * quotas[c]!) / counts[c]!);
    return taken(before + 1) > taken(before);
  });
}

/** Whether a sample (rows, cols) has rows enough to estimate the Hessian of all, whatever the penalty. */
export const estimatesHessian = ({ rows, cols }: RowsShape): boolean => rows >= ENOUGH_PER_COLUMN * cols;

/** Bytes of the sample of (rows, cols), and of a fit on it where there is one. */
export function sampleBytes({ rows, cols }: RowsShape): number {
  const kept = sampleSize({ rows, cols });
  const fitted = estimatesHessian({ rows: kept, cols }) ? widenedBytes(kept, cols) + directBytes(kept, cols) : 0;
  return 4 * kept * cols + fitted;
}

/**
 * The inverse Hessian on a sample in memory, by conjugate gradients (subsampled Newton: Byrd, Chin, Neveitt and Nocedal
 * 2011). It halves the passes where the penalty or many rows make the sample's Hessian like the whole; elsewhere it
 * would add some (docs/streams.md): undefined.
 */
export function samplePreconditioner(
  sample: Design,
  loss: Loss,
  penalty: number,
): ((point: Weights) => (residual: Vector) => Promise<Vector>) | undefined {
  // The Hessian of a direction that one row of the sample alone brings; what all rows have in it is of this size too.
  const floor = (meanHessian(loss, sample.rows) * sample.meanSquaredNorm) / sample.rows;
  if (!estimatesHessian({ rows: sample.rows, cols: sample.size }) && penalty < LEAST_PENALTY * floor) return undefined;
  const objective = keptObjective(sample, loss, penalty + floor);
  return function at({ coef, bias }) {
    let product: Promise<ReturnType<ObjectiveAt['hessian']>> | undefined;
    return async (residual) => {
      product ??= objective.at({ coef, bias }, 'float32').then(({ hessian }) => hessian());
      const hessian = await product;
      const system = { gradient: scaled(residual, -1), hessian: () => hessian };
      const whole = Math.sqrt(objective.inner(residual, residual));
      const isEnough = (_: Vector, norm: number): boolean => norm <= ENOUGH * whole;
      const { step } = await conjugateGradients(objective, system, isEnough, MOST_STEPS);
      const solution = { ...step, logits: residual.logits };
      // Where the sample has no curvature left there is no step.
      return objective.inner(residual, solution) > 0 ? solution : residual;
    };
  };
}

/** The mean second derivative by a logit of zero. */
function meanHessian({ k, at }: Loss, rows: number): number {
  const { scale, probabilities } = at(new Float64Array(rows * k)).pointwiseHessian();
  return scale.reduce((sum, s, i) => sum + s * (1 - (probabilities?.[i] ?? 0)), 0) / k;
}
