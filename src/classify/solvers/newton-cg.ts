import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import type { FloatType } from '../linalg/thin.ts';
import { largestAbsolute } from '../linalg/vectors.ts';
import { conjugateGradients, type Enough } from './conjugate-gradients.ts';
import { lineSearch } from './line-search.ts';
import type { Objective, ObjectiveAt, Vector, Weights } from './objective.ts';

/** When a fit ends. */
export interface StopRule {
  /** Stop when the largest absolute gradient is at most this. */
  readonly tol: number;
  /** Most Newton steps. */
  readonly maxIter: number;
}

/**
 * A gradient is a mean of rows of about the intercept scale times residuals of at most 1: float32 moves it by some 1e-7
 * of that, a hundredth of this.
 */
export const FLOAT32_TOL = 1e-5;

export interface Optimum {
  readonly point: Vector;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient at the point. */
  readonly gradient: number;
  /** Upper bound of the relative distance of the objective from its minimum. */
  readonly dualityGap: number;
}

/**
 * Minimises f(W, b) = Σᵢ sᵢ·loss(yᵢ, xᵢ·W + b) + p/2·‖W‖² (objective.ts) by Newton's method:
 *
 *     gradient  g = Xᵀ·r + p·W            r: derivative of the weighted losses by the logits
 *     Hessian   H·v = Xᵀ·(h∘(X·v)) + p·v  h: their second derivative
 *     step      H·s ≈ -g, until ‖H·s + g‖ ≤ min(forcing, √(‖g‖/‖g₀‖))·‖g‖, or it would pass the stop rule twice over
 *     search    W + t·s, so that f falls and its slope along s is flat
 *     stop      max|g| ≤ tol and, with a gap tolerance, ‖g‖² / (2·p·f) ≤ that
 *
 * Conjugate gradients solve a step only as exactly as the progress so far deserves (Dembo, Eisenstat and Steihaug 1982;
 * logistic loss: Lin, Weng and Keerthi 2008), or a factorisation where that is quicker: nearly exact steps end the
 * squared hinge in a few (Mangasarian 2002). Gradients are float64 where `tol` asks for it; Hessian products float32.
 * Throws INTERRUPTED, and what reading the rows throws.
 */
export async function newtonCg(
  objective: Objective,
  { tol, maxIter }: StopRule,
  start?: Weights,
  context?: FitContext,
): Promise<Optimum> {
  const { penalty, interceptScale, gapTolerance = Infinity } = objective;
  const least = FLOAT32_TOL * interceptScale;
  const forcing = objective.forcing(start !== undefined);
  const newtonStep = stepper(objective);
  let precision: FloatType = tol >= least ? 'float32' : 'float64';
  let here = await objective.at(start ?? objective.origin(), precision);
  let first: number | undefined;
  for (let iterations = 0; ; iterations++) {
    checkAborted(context);
    const { norm, gradient, dualityGap } = await distanceOf(objective, here, tol);
    const converged = gradient <= tol && dualityGap <= gapTolerance;
    const optimum = { point: here.point, converged, iterations, gradient, dualityGap };
    if (converged || iterations === maxIter) return optimum;

    first ??= norm;
    // What is left to be done, as a part of the gradient.
    const left = Math.min(tol / gradient, Math.sqrt(gapTolerance / dualityGap));
    if (precision === 'float32' && left * gradient < least) {
      precision = 'float64';
      const { coef, bias } = here.point;
      here = await objective.at({ coef, bias }, precision);
      iterations--;
      continue;
    }
    const loose = norm * Math.min(forcing, Math.sqrt(norm / first));
    const tight = { tol: tol / 2, norm: Math.sqrt(2 * penalty * here.value * gapTolerance) / 2 };
    // Half of what the stop rule asks for: more exactness than that would not be seen.
    const step = await newtonStep(
      here,
      (residual, left) => left <= loose || (left <= tight.norm && gradientBound(objective, residual) <= tight.tol),
    );
    const next = await lineSearch(await here.along(step));
    if (next === undefined) return optimum;
    here = next;
  }
}

/** How far a point is from the optimum. */
async function distanceOf(objective: Objective, { value, gradient }: ObjectiveAt, tol: number) {
  const norm = Math.sqrt(objective.inner(gradient, gradient));
  return {
    norm,
    gradient: gradientBound(objective, gradient, await objective.closer?.(gradient, tol)),
    // The objective is p-strongly convex, and the residuals are a dual point whose objective is less by ‖g‖²/(2·p): an
    // upper bound of the distance to the minimum (Boyd and Vandenberghe 2004, 9.1.2 and 5.5).
    dualityGap: norm ** 2 / (2 * objective.penalty) / value,
  };
}

/** Bounds the largest absolute gradient by uncentred columns: the centred ones' plus mean times the intercept's. */
function gradientBound(objective: Objective, gradient: Vector, largest = objective.largest(gradient)): number {
  const ofIntercepts = largestAbsolute(gradient.bias) / objective.interceptScale;
  return Math.max(ofIntercepts, largest + objective.meanNorm * ofIntercepts);
}

/** Newton steps of one fit. Once conjugate gradients cost more than a direct step, all that follow are direct. */
function stepper(objective: Objective): (here: ObjectiveAt, isEnough: Enough) => Promise<Weights> {
  let factorises = false;
  return async function newtonStep(here, isEnough) {
    const direct = here.direct();
    if (direct !== undefined) {
      if (!factorises) {
        const { step, ended } = await conjugateGradients(objective, here, isEnough, direct.cost);
        if (ended) return step;
        factorises = true;
      }
      const step = await direct.solve();
      if (step !== undefined) return step;
    }
    return (await conjugateGradients(objective, here, isEnough)).step;
  };
}
