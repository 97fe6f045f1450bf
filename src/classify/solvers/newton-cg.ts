import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { conjugateGradients } from './conjugate-gradients.ts';
import { lineSearch } from './line-search.ts';
import { evaluate, residuals } from './logistic-loss.ts';
import type { LogisticProblem, Point } from './logistic-problem.ts';
import { inner, totalScores } from './logistic-problem.ts';
import { addScaled, columnSums, largestAbsolute } from './vectors.ts';

export interface StopRule {
  /** Stop when the largest absolute gradient is at most this. */
  readonly tol: number;
  readonly maxIter: number;
}

export interface Optimum {
  readonly point: Point;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient at the point. */
  readonly gradient: number;
}

/**
 * The minimum by Newton's method from zero; each step solves its linear system by conjugate gradients, only as exactly as the
 * progress made so far deserves (Dembo, Eisenstat and Steihaug 1982; for this loss Lin, Weng and Keerthi 2008). Gradients are
 * float64, so that the optimum is; curvature is float32, because an error there only costs a step.
 */
export async function newtonCg(
  problem: LogisticProblem,
  { tol, maxIter }: StopRule,
  context?: FitContext,
): Promise<Optimum> {
  const { design, y, k, unit } = problem;
  let point: Point = {
    coef: new Float64Array(design.size * k),
    bias: new Float64Array(k),
    scores: new Float64Array(design.rows * k),
  };
  let first: number | undefined;

  for (let iterations = 0; ; iterations++) {
    checkAborted(context);
    const total = totalScores(problem, point);
    const { loss, probabilities } = evaluate(total, y, k);
    const gradient = await gradientAt(problem, point, probabilities);
    const biasGradient = largestAbsolute(gradient.bias) / unit;
    // The gradient by the uncentred columns is that by the centred ones plus mean times the intercept's.
    const bound = Math.max(biasGradient, design.largest(gradient) + design.meanLength * biasGradient);
    const done = (converged: boolean): Optimum => ({ point, converged, iterations, gradient: bound });
    if (bound <= tol || iterations === maxIter) return done(bound <= tol);

    const length = Math.sqrt(inner(problem, gradient, gradient));
    first ??= length;
    // Half of tol, in the measure of `length`: more exactness than that would not be seen.
    const enough = length * Math.max(Math.min(0.25, Math.sqrt(length / first)), tol / bound / 2);
    const step = await conjugateGradients(problem, probabilities, gradient, enough);
    const slope = inner(problem, gradient, step);
    const size = slope < 0 ? lineSearch(problem, { point, total, loss, slope }, step) : undefined;
    if (size === undefined) return done(false);
    addScaled(point.coef, size, step.coef);
    addScaled(point.bias, size, step.bias);
    point = { ...point, scores: await design.scores(point.coef, k, 'float64') };
  }
}

async function gradientAt(
  problem: LogisticProblem,
  point: Point,
  probabilities: Float64Array,
): Promise<Point> {
  const { design, y, k, penalty, unit } = problem;
  const R = residuals(probabilities, y, k);
  const bias = columnSums(R, k).map((sum) => sum * unit);
  const coef = await design.adjoint(R, k, 'float64');
  addScaled(coef, penalty, point.coef);
  return { coef, bias, scores: await design.scores(coef, k, 'float32') };
}
