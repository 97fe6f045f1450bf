import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import type { Precision } from '../linalg/thin.ts';
import { conjugateGradients } from './conjugate-gradients.ts';
import { directStep, worthOfDirect } from './direct-step.ts';
import { lineSearch } from './line-search.ts';
import type { LossAt } from './loss.ts';
import { type Point, type Problem, inner, origin, totalScores } from './problem.ts';
import { addScaled, columnSums, largestAbsolute } from '../linalg/vectors.ts';

/** When a fit ends. */
export interface StopRule {
  /** Stop when the largest absolute gradient is at most this. */
  readonly tol: number;
  readonly maxIter: number;
}

/**
 * A gradient is a mean of rows, whose length is about `unit`, times residuals of at most 1: rounding to float32 moves
 * it by some 1e-7 of that, a hundredth of this.
 */
export const FLOAT32_TOL = 1e-5;

export interface Optimum {
  readonly point: Point;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient at the point. */
  readonly gradient: number;
  /** Upper bound of how much of the objective is above its least. */
  readonly gap: number;
}

/**
 * The minimum by Newton's method from `start`; each step solves its linear system by conjugate gradients, only as
 * exactly as the progress made so far deserves (Dembo, Eisenstat and Steihaug 1982; for the logistic loss Lin, Weng and
 * Keerthi 2008), or by a factorisation where that is quicker: nearly exact steps end the squared hinge in a few
 * (Mangasarian 2002). Gradients are float64 where `tol` asks for it; curvature is float32, because an error there only
 * costs a step. Throws INTERRUPTED.
 */
export async function newtonCg(
  task: Problem,
  { tol, maxIter }: StopRule,
  start?: Point,
  context?: FitContext,
): Promise<Optimum> {
  const { design, loss, unit } = task;
  let precision: Precision = tol >= FLOAT32_TOL * unit ? 'float32' : 'float64';
  let point = start ?? origin(task);
  let total = totalScores(task, point);
  let here = loss.at(total);
  let first: number | undefined;
  let direct = false;
  const loosest = loosestOf(task, start !== undefined);

  /**
   * Once conjugate gradients have taken as long as a direct step would, the steps that follow are direct: they only get
   * harder.
   */
  async function stepFrom(gradient: Point, enough: number): Promise<Point> {
    const worth = worthOfDirect(task, here);
    if (worth !== undefined) {
      if (!direct) {
        const { step, ended } = await conjugateGradients(task, here, gradient, enough, worth);
        if (ended) return scored(step);
        direct = true;
      }
      const step = await directStep(task, here, gradient, precision);
      if (step !== undefined) return step;
    }
    return scored((await conjugateGradients(task, here, gradient, enough)).step);
  }
  const scored = async ({ coef, bias }: Point): Promise<Point> => ({
    coef,
    bias,
    scores: await design.scores(coef, loss.k, precision),
  });

  for (let iterations = 0; ; iterations++) {
    checkAborted(context);
    const gradient = await gradientAt(task, point, here, precision);
    const biasGradient = largestAbsolute(gradient.bias) / unit;
    // The gradient by the uncentred columns is that by the centred ones plus mean times the intercept's.
    const bound = Math.max(
      biasGradient,
      (await design.largest(gradient, tol)) + design.meanLength * biasGradient,
    );
    const length = Math.sqrt(inner(task, gradient, gradient));
    const gap = gapOf(task, point, here.loss, length);
    const done = (converged: boolean): Optimum => ({ point, converged, iterations, gradient: bound, gap });
    const near = loss.mostGap === undefined || gap <= loss.mostGap;
    if ((bound <= tol && near) || iterations === maxIter) return done(bound <= tol && near);

    first ??= length;
    // What is left to be done, as a part of the gradient.
    const left = Math.min(tol / bound, Math.sqrt((loss.mostGap ?? Infinity) / gap));
    if (precision === 'float32' && left * bound < FLOAT32_TOL * unit) {
      precision = 'float64';
      point = { ...point, scores: await design.scores(point.coef, loss.k, precision) };
      total = totalScores(task, point);
      here = loss.at(total);
      iterations--;
      continue;
    }
    // Half of what is left, in the measure of `length`: more exactness than that would not be seen.
    const enough = length * Math.max(Math.min(loosest, Math.sqrt(length / first)), left / 2);
    const step = await stepFrom(gradient, enough);
    const slope = inner(task, gradient, step);
    const end = slope < 0 ? lineSearch(task, { point, total, loss: here.loss, slope }, step) : undefined;
    if (end === undefined) return done(false);
    point = moved(point, end.size, step);
    ({ here, total } = end);
  }
}

/**
 * The part of the gradient that a step may leave at most. Beside products with X itself those of a rough curvature cost
 * nothing: a step is worth solving well. So it is from another penalty's optimum, where the rows on the margin are
 * nearly the right ones and a loose step would lose them (measured on 2,400 x 512: 15 to 20 Newton steps in place of
 * 3).
 */
function loosestOf({ design, loss }: Problem, warm: boolean): number {
  if (design.rough !== undefined) return 0.01;
  if (design.direct === undefined || loss.k !== 1) return 0.25;
  return warm ? 0.01 : 0.1;
}

/**
 * The duality gap over the objective. With the penalty p the objective is p-strongly convex in the weights, and the
 * residuals are a point of the dual problem whose objective is less by the gradient's square over 2·p: so much at most
 * is the primal one above its least (Boyd and Vandenberghe 2004, 9.1.2 and 5.5).
 */
function gapOf({ design, penalty }: Problem, point: Point, loss: number, length: number): number {
  return length ** 2 / (2 * penalty) / (loss + (penalty / 2) * design.inner(point, point));
}

async function gradientAt(
  { design, loss: { k }, penalty, unit }: Problem,
  point: Point,
  { residuals }: LossAt,
  precision: Precision,
): Promise<Point> {
  const bias = columnSums(residuals, k).map((sum) => sum * unit);
  // A copy: the adjoint may be the residuals themselves.
  const coef = (await design.adjoint(residuals, k, precision)).slice();
  addScaled(coef, penalty, point.coef);
  return { coef, bias, scores: await design.beside(coef, k) };
}

/** point + factor · step, a new point. */
function moved(point: Point, factor: number, step: Point): Point {
  const sum = { coef: point.coef.slice(), scores: point.scores.slice(), bias: point.bias.slice() };
  addScaled(sum.coef, factor, step.coef);
  addScaled(sum.scores, factor, step.scores);
  addScaled(sum.bias, factor, step.bias);
  return sum;
}
