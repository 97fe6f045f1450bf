import { FLOAT32_TOL, type StopRule } from './newton-cg.ts';
import { largestAbsolute, scaleAdd } from '../linalg/vectors.ts';
import {
  addPoint,
  inner,
  moved,
  origin,
  type ObjectiveAt,
  type Point,
  type StreamedProblem,
} from './stream-design.ts';

export interface StreamedOptimum {
  readonly point: Point;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient. */
  readonly gradient: number;
}

/** Roughly the inverse of the second derivative at `point`, applied to `residual`. */
export type Preconditioner = (point: Point, residual: Point) => Promise<Point>;

/** More steps than any fit of the measured sets took; a step that ends here is still downhill. */
const MOST_STEPS = 500;

/** A change of the objective below this part of it is rounding: of scores in float32 or in float64. */
const ROUNDING = { float32: 1e-7, float64: 1e-12 };

/**
 * Minimises a streamed problem as newtonCg does. A Newton step costs a pass for each step of the conjugate gradients,
 * and one at the point that it leads to, which gives objective and gradient together. With a preconditioner the
 * conjugate gradients are flexible ones (Notay 2000), for it may be another linear map each time. Throws FIT_INVALID,
 * INTERRUPTED, and what reading throws.
 */
export async function streamedNewtonCg(
  problem: StreamedProblem,
  { tol, maxIter }: StopRule,
  precondition?: Preconditioner,
): Promise<StreamedOptimum> {
  const { unit, meanLength } = problem;
  const precision = tol >= FLOAT32_TOL * unit ? 'float32' : 'float64';

  /**
   * An upper bound of the largest absolute gradient by the columns as they are: that by the centred ones plus mean
   * times the intercept's.
   */
  function largest({ coef, bias }: Point): number {
    const own = largestAbsolute(bias) / unit;
    return Math.max(own, largestAbsolute(coef) + meanLength * own);
  }

  /**
   * The Newton step, until the gradient that it should lead to is `enough` at most by its length, or well within the
   * tolerance: a pass more would serve nothing.
   */
  async function newtonStep(point: Point, gradient: Point, enough: number): Promise<Point> {
    const step = origin(problem.cols, problem.k);
    const residual = moved(step, -1, gradient);
    let direction = step;
    let before: { readonly residual: Point; readonly squared: number } | undefined;
    for (let i = 0; i < MOST_STEPS; i++) {
      if (Math.sqrt(inner(residual, residual)) <= enough || largest(residual) <= tol / 2) break;
      const steep = precondition === undefined ? residual : await precondition(point, residual);
      const squared = inner(residual, steep);
      if (before === undefined) direction = moved(steep, 0, steep);
      else {
        const beta = (squared - inner(before.residual, steep)) / before.squared;
        scaleAdd(direction.coef, beta, steep.coef);
        scaleAdd(direction.bias, beta, steep.bias);
      }
      before = { residual: moved(residual, 0, residual), squared };
      const bent = await problem.curvatureAt(point, direction);
      const along = inner(direction, bent);
      // Rounding, in a direction that has no curvature left.
      if (!(along > 0)) break;
      const size = inner(residual, direction) / along;
      addPoint(step, size, direction);
      addPoint(residual, -size, bent);
    }
    return step;
  }

  let point = origin(problem.cols, problem.k);
  let here: ObjectiveAt = await problem.objectiveAt(point, precision);
  let first: number | undefined;
  for (let iterations = 0; ; iterations++) {
    const { gradient, value } = here;
    const bound = largest(gradient);
    const done = (converged: boolean): StreamedOptimum => ({ point, converged, iterations, gradient: bound });
    if (bound <= tol || iterations === maxIter) return done(bound <= tol);

    const length = Math.sqrt(inner(gradient, gradient));
    first ??= length;
    const enough = length * Math.min(0.25, Math.sqrt(length / first));
    const step = await newtonStep(point, gradient, enough);
    const slope = inner(gradient, step);
    if (!(slope < 0)) return done(false);
    // Armijo 1966; each trial costs a pass, and the first one is nearly always the last.
    for (let t = 1; ;) {
      const trial = moved(point, t, step);
      const there = await problem.objectiveAt(trial, precision);
      const change = there.value - value;
      if (change <= Math.max(1e-4 * t * slope, ROUNDING[precision] * Math.abs(value))) {
        [point, here] = [trial, there];
        break;
      }
      // The lowest point of the parabola through what is known, within bounds.
      const lowest = (-slope * t * t) / (2 * (change - slope * t));
      t = lowest > t / 10 ? Math.min(t / 2, lowest) : t / 10;
      if (t < 1e-10) return done(false);
    }
  }
}
