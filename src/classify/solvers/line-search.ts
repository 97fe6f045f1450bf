import type { LossAt } from './loss.ts';
import type { Point, Scale } from './problem.ts';
import { totalScores } from './problem.ts';
import { addScaled } from './vectors.ts';

/** A change of the objective below this part of it is its rounding. */
const ROUNDING = 1e-12;

/** Where a line search ends. */
export interface Stop {
  readonly size: number;
  /** The loss and the scores with the intercepts, (n, k), there. */
  readonly here: LossAt;
  readonly total: Float64Array;
}

/** Where a line search starts. */
export interface Start {
  readonly point: Point;
  /** Its scores with the intercepts, and its loss. */
  readonly total: Float64Array;
  readonly loss: number;
  /** The objective's derivative along the step: negative. */
  readonly slope: number;
}

/**
 * A step length in (0, 1] that lowers the objective enough (Armijo 1966), by halving; undefined when none does. Scores are linear in
 * the length, so trying one costs no matrix product. Near the optimum, where rounding hides the decrease, a
 * step that leaves the objective where it is will do: it is a Newton step, and the gradient tells what it was worth.
 */
export function lineSearch(
  task: Scale,
  { point, total, loss: lossHere, slope }: Start,
  step: Point,
): Stop | undefined {
  const { design, loss, penalty } = task;
  const change = totalScores(task, step);
  const here = design.inner(point, point);
  const across = design.inner(step, point);
  const beyond = design.inner(step, step);
  const start = lossHere + (penalty / 2) * here;
  for (let t = 1; t > 1e-10; t /= 2) {
    const tried = total.slice();
    addScaled(tried, t, change);
    const there = loss.at(tried);
    const square = here + 2 * t * across + t * t * beyond;
    const value = there.loss + (penalty / 2) * square;
    if (value - start <= Math.max(1e-4 * t * slope, ROUNDING * Math.abs(start)))
      return { size: t, here: there, total: tried };
  }
  return undefined;
}
