import type { LossAt } from './loss.ts';
import { type Point, type Problem, inner } from './problem.ts';
import { addScaled, dot, scaleAdd } from '../linalg/vectors.ts';

/** More steps than any fit of the measured sets took; a step that ends here is still downhill. */
export const MOST_STEPS = 500;

/**
 * The Newton step: solves Hessian · step = -gradient by conjugate gradients (Hestenes and Stiefel 1952) until the
 * residual's length is at most `enough`; `ended` is false where `most` steps did not get there. `here` is the loss at
 * the point of the gradient.
 */
export async function conjugateGradients(
  task: Problem,
  here: LossAt,
  gradient: Point,
  enough: number,
  most = MOST_STEPS,
): Promise<{ readonly step: Point; readonly ended: boolean }> {
  const {
    design,
    loss: { k },
    penalty,
    unit,
  } = task;
  const curve = design.curvature(here);
  const step = scaled(gradient, 0);
  let residual = scaled(gradient, -1);
  const direction = scaled(gradient, -1);
  let squared = inner(task, residual, residual);
  for (let i = 0; i < most && Math.sqrt(squared) > enough; i++) {
    const shift = direction.bias.map((b) => unit * b);
    const bent = await curve(direction, shift);
    const along =
      design.inner(bent, direction) + dot(bent.sums, shift) + penalty * design.inner(direction, direction);
    // Rounding, in a direction that has no curvature left.
    if (!(along > 0)) break;
    const size = squared / along;
    addPoint(step, size, direction);

    // residual -= size · Hessian · direction
    addScaled(residual.bias, -size * unit, bent.sums);
    addScaled(residual.coef, -size, bent.coef);
    addScaled(residual.coef, -size * penalty, direction.coef);
    residual = { ...residual, scores: await design.beside(residual.coef, k) };

    const next = inner(task, residual, residual);
    const keep = next / squared;
    scaleAdd(direction.coef, keep, residual.coef);
    scaleAdd(direction.scores, keep, residual.scores);
    scaleAdd(direction.bias, keep, residual.bias);
    squared = next;
  }
  return { step, ended: Math.sqrt(squared) <= enough };
}

function scaled({ coef, scores, bias }: Point, factor: number): Point {
  const times = (values: Float64Array): Float64Array => values.map((value) => factor * value);
  return { coef: times(coef), scores: times(scores), bias: times(bias) };
}

function addPoint(point: Point, factor: number, other: Point): void {
  addScaled(point.coef, factor, other.coef);
  addScaled(point.scores, factor, other.scores);
  addScaled(point.bias, factor, other.bias);
}
