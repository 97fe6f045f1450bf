import type { Line, ObjectiveAt, Trial } from './objective.ts';

/** Where the slope rises late and steeply the chord is far too short: no less than this part of the bracket. */
const LEAST_PART = 0.1;
/** Lengths tried: a bracket of the lowest point is a thousandth of its first width long before. */
const MOST_TRIES = 40;

/**
 * About the lowest point along a step; undefined when no length lowers the objective. It is convex: regula falsi on the
 * slope (kept end's slope halved: Dowell and Jarratt 1971) until it is lower (Armijo 1966) and flat (second Wolfe
 * condition). The squared hinge needs it: its curvature changes with each row that crosses the margin; backtracking
 * takes hundreds of steps, this a dozen. Where rounding hides the decrease a Newton step that keeps the value is
 * accepted.
 */
export async function lineSearch({ value, slope, rounding, flat, at, lowest }: Line): Promise<ObjectiveAt | undefined> {
  if (!(slope < 0)) return undefined;
  const allowed = (size: number) => value + Math.max(1e-4 * size * slope, rounding * Math.abs(value));
  let [low, high] = [
    { size: 0, slope },
    { size: Infinity, slope: Infinity },
  ];
  let last = 0;
  let best: Trial | undefined;
  for (let tries = 0, size = 1; tries < MOST_TRIES; tries++) {
    const tried = await at(size);
    // Where it still falls it is lower, whatever rounding makes of its values.
    const lowers = tried.slope <= 0 || tried.value <= allowed(size);
    if (lowers) best = tried;
    const left = size === 1 ? flat.whole : flat.found;
    if (lowers && Math.abs(tried.slope) <= left * Math.abs(slope)) break;
    const side = Math.sign(tried.slope);
    // An end that is kept twice would hold the chord back.
    if (side < 0) [low, high] = [tried, side === last ? { ...high, slope: high.slope / 2 } : high];
    else [high, low] = [tried, side === last ? { ...low, slope: low.slope / 2 } : low];
    last = side;
    if (tries === 0 && lowest !== undefined) size = await lowest();
    else if (high.size === Infinity) size *= 2;
    else {
      const width = high.size - low.size;
      size = low.size + width * Math.max(LEAST_PART, -low.slope / (high.slope - low.slope));
    }
    if (!(size > 1e-10)) break;
  }
  return best?.accept();
}
