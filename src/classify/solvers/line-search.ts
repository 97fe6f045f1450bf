import type { LossAt } from './loss.ts';
import { type Point, type Scale, totalScores } from './problem.ts';
import { addScaled, dot } from '../linalg/vectors.ts';

/** A change of the objective below this part of it is its rounding. */
const ROUNDING = 1e-12;
/**
 * The slope that may be left, of that at the start: of the whole step, and of a length that is looked for (the second
 * Wolfe condition).
 */
const FLAT = { whole: 0.5, found: 0.1 };
/** Lengths tried: a bracket of the lowest point is a thousandth of its first width long before. */
const MOST_TRIES = 40;

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
 * About the lowest point of the objective along a step (the length 1 where the slope there is half that of the start at
 * most); undefined when no length lowers it. The objective is convex, so its slope only rises: between a length where
 * it is negative and one where it is positive the chord tells where to look next (regula falsi, the kept end's slope
 * halved: Dowell and Jarratt 1971). Scores are linear in the length, so trying one costs no matrix product. The squared
 * hinge needs it: its curvature changes with every row that crosses the margin, and shorter and shorter steps that are
 * merely downhill take hundreds where these take a dozen. Near the optimum, where rounding hides the decrease, a step
 * that leaves the objective where it is will do: it is a Newton step, and the gradient tells what it was worth.
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
  const allowed = (size: number) => start + Math.max(1e-4 * size * slope, ROUNDING * Math.abs(start));

  function at(size: number): Stop & { readonly value: number; readonly slope: number } {
    const tried = total.slice();
    addScaled(tried, size, change);
    const there = loss.at(tried);
    return {
      size,
      here: there,
      total: tried,
      value: there.loss + (penalty / 2) * (here + 2 * size * across + size * size * beyond),
      slope: dot(there.residuals, change) + penalty * (across + size * beyond),
    };
  }

  let [low, high] = [
    { size: 0, slope },
    { size: Infinity, slope: Infinity },
  ];
  let last = 0;
  let best: Stop | undefined;
  for (let tries = 0, size = 1; tries < MOST_TRIES; tries++) {
    const tried = at(size);
    const lowers = tried.value <= allowed(size);
    if (lowers) best = tried;
    const flat = size === 1 ? FLAT.whole : FLAT.found;
    if (lowers && Math.abs(tried.slope) <= flat * Math.abs(slope)) return tried;
    const side = Math.sign(tried.slope);
    // An end that is kept twice would hold the chord back.
    if (side < 0) [low, high] = [tried, side === last ? { ...high, slope: high.slope / 2 } : high];
    else [high, low] = [tried, side === last ? { ...low, slope: low.slope / 2 } : low];
    last = side;
    if (high.size === Infinity) size *= 2;
    else size = low.size - (low.slope * (high.size - low.size)) / (high.slope - low.slope);
    if (!(size > 1e-10)) break;
  }
  return best;
}
