import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import type { Design, Element } from './design.ts';
import { columnSums } from './design.ts';
import { curvature, evaluate, residuals } from './logistic-loss.ts';

/** Weights, their scores, and the intercepts in units of `unit`. */
interface Point extends Element {
  readonly bias: Float64Array;
}

export interface LogisticProblem {
  readonly design: Design;
  /** Class index per row. */
  readonly y: Int32Array;
  /** Columns of scores: 1 for two classes (binomial), else the number of classes. */
  readonly k: number;
  /** Inverse strength of the L2 penalty on the weights, as in scikit-learn: C times the summed loss + |W|²/2. */
  readonly C: number;
  /** Stop when the largest absolute gradient of the mean loss + |W|²/(2·C·n) is at most this. */
  readonly tol: number;
  readonly maxIter: number;
}

export interface Optimum {
  /** Coefficients of the weights in the design's basis, shape (size, k). */
  readonly coef: Float64Array;
  /** Intercepts on the centred rows, shape (k). */
  readonly intercept: Float64Array;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient at the optimum. */
  readonly gradient: number;
}

/**
 * Logistic regression by Newton's method; each step solves its linear system by conjugate gradients, only as exactly as the
 * progress made so far deserves (Dembo, Eisenstat and Steihaug 1982; for this loss Lin, Weng and Keerthi 2008). Gradients are float64,
 * so that the optimum is; curvature is float32, because an error there only costs a step.
 */
export async function newtonCg(problem: LogisticProblem, context?: FitContext): Promise<Optimum> {
  const { design, y, k, C, tol, maxIter } = problem;
  const penalty = 1 / (C * design.rows);
  // The intercept as one more weight, of a constant column as long as the rows are: then one metric suits them all.
  const unit = design.spread > 0 ? Math.sqrt(design.spread) : 1;
  let coef = new Float64Array(design.size * k);
  let bias = new Float64Array(k);
  let scores = new Float64Array(design.rows * k);
  let first: number | undefined;

  for (let iterations = 0; ; iterations++) {
    checkAborted(context);
    const total = shifted(scores, bias, unit);
    const { loss, probabilities } = evaluate(total, y, k);
    const R = residuals(probabilities, y, k);
    const slope = await design.adjointExact(R, k);
    const gradientCoef = slope.map((value, at) => value + penalty * coef[at]!);
    const biasGradient = columnSums(R, k);
    const gradient: Point = {
      coef: gradientCoef,
      scores: await design.scores(gradientCoef, k),
      bias: biasGradient.map((value) => value * unit),
    };
    const steepest = biasGradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // The uncentred columns' gradient is the centred one's plus mean times the intercept's.
    const largest = Math.max(steepest, design.largest(gradient) + design.meanLength * steepest);
    const intercept = bias.map((value) => value * unit);
    if (largest <= tol || iterations === maxIter) {
      return { coef, intercept, converged: largest <= tol, iterations, gradient: largest };
    }
    const length = Math.sqrt(inner(design, gradient, gradient));
    first ??= length;
    const forcing = Math.min(0.25, Math.sqrt(length / first));
    const step = await conjugateGradients(
      problem,
      probabilities,
      gradient,
      Math.max(forcing * length, tol / 2),
      unit,
    );
    const at: Element = { coef, scores };
    const quadratic = {
      here: design.inner(at, at),
      cross: design.inner(step, at),
      step: design.inner(step, step),
    };
    const change = shifted(step.scores, step.bias, unit);
    const size = lineSearch(problem, total, change, quadratic, loss);
    if (size === undefined) return { coef, intercept, converged: false, iterations, gradient: largest };
    coef = coef.map((value, i) => value + size * step.coef[i]!);
    bias = bias.map((value, i) => value + size * step.bias[i]!);
    scores = new Float64Array(await design.scoresExact(coef, k));
  }
}

const inner = (design: Design, a: Point, b: Point): number =>
  a.bias.reduce((sum, value, i) => sum + value * b.bias[i]!, design.inner(a, b));

/** Scores with the intercepts added. */
function shifted(scores: Float64Array, bias: Float64Array, unit: number): Float64Array {
  return scores.map((value, at) => value + unit * bias[at % bias.length]!);
}

/** Solves Hessian · step = -gradient until the residual's length is at most `enough`. */
async function conjugateGradients(
  { design, k, C }: LogisticProblem,
  P: Float64Array,
  gradient: Point,
  enough: number,
  unit: number,
): Promise<Point> {
  const penalty = 1 / (C * design.rows);
  const scaled = (a: Point, factor: number): Point => combine(a, factor, undefined, 0);
  let residual = scaled(gradient, -1);
  let direction = residual;
  let step = scaled(gradient, 0);
  let squared = inner(design, residual, residual);
  const most = Math.min(design.size * k + k, 500);
  for (let i = 0; i < most && Math.sqrt(squared) > enough; i++) {
    const change = shifted(direction.scores, direction.bias, unit);
    const bent = curvature(P, change, k);
    let along = penalty * design.inner(direction, direction);
    for (let at = 0; at < bent.length; at++) along += bent[at]! * change[at]!;
    // Rounding in a direction without curvature.
    if (!(along > 0)) break;
    const size = squared / along;
    step = combine(step, 1, direction, size);
    const pulled = await design.adjoint(bent, k);
    const coef = residual.coef.map(
      (value, at) => value - size * (pulled[at]! + penalty * direction.coef[at]!),
    );
    const sums = columnSums(bent, k);
    const bias = residual.bias.map((value, c) => value - size * unit * sums[c]!);
    residual = { coef, bias, scores: await design.scores(coef, k) };
    const next = inner(design, residual, residual);
    direction = combine(residual, 1, direction, next / squared);
    squared = next;
  }
  return step;
}

function combine(a: Point, s: number, b: Point | undefined, t: number): Point {
  const mix = (x: Float64Array, y: Float64Array | undefined) =>
    y === undefined ? x.map((value) => s * value) : x.map((value, i) => s * value + t * y[i]!);
  return { coef: mix(a.coef, b?.coef), scores: mix(a.scores, b?.scores), bias: mix(a.bias, b?.bias) };
}

/**
 * A step length in (0, 1] that lowers the objective enough (Armijo 1966), by halving. Scores are linear in the step, so trying one
 * costs no product. Near the optimum, where the objective's own rounding hides its decrease, a slope that has clearly fallen counts.
 */
function lineSearch(
  { y, k, C }: LogisticProblem,
  scores: Float64Array,
  change: Float64Array,
  quadratic: { here: number; cross: number; step: number },
  loss: number,
): number | undefined {
  const penalty = 1 / (C * y.length);
  const slopeOf = (probabilities: Float64Array, t: number): number => {
    const R = residuals(probabilities, y, k);
    let slope = penalty * (quadratic.cross + t * quadratic.step);
    for (let at = 0; at < R.length; at++) slope += R[at]! * change[at]!;
    return slope;
  };
  const start = loss + (penalty / 2) * quadratic.here;
  const slope = slopeOf(evaluate(scores, y, k).probabilities, 0);
  if (!(slope < 0)) return undefined;
  for (let t = 1; t > 1e-10; t /= 2) {
    const tried = evaluate(
      scores.map((value, at) => value + t * change[at]!),
      y,
      k,
    );
    const value =
      tried.loss + (penalty / 2) * (quadratic.here + 2 * t * quadratic.cross + t * t * quadratic.step);
    if (value <= start + 1e-4 * t * slope) return t;
    const level = Math.abs(value - start) <= 1e-12 * Math.abs(start);
    if (level && Math.abs(slopeOf(tried.probabilities, t)) <= 0.9 * -slope) return t;
  }
  return undefined;
}
