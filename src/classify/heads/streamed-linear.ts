import { matrix } from '../../core/matrix.ts';
import type { Rows } from '../../core/rows.ts';
import { checkLabels } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { fittedLinear } from './linear.ts';
import type { LinearLoss } from '../solvers/linear-fit.ts';
import type { StopRule } from '../solvers/newton-cg.ts';
import { unitOf } from '../solvers/problem.ts';
import { classWeights, type ClassWeight } from '../solvers/row-weights.ts';
import { weightedRows } from '../linalg/vectors.ts';
import { statisticsOf } from '../solvers/row-statistics.ts';
import { samplePreconditioner, sampleRows } from '../solvers/sample-preconditioner.ts';
import { streamedLoss } from '../solvers/streamed-loss.ts';
import { streamedNewtonCg } from '../solvers/streamed-newton-cg.ts';
import { streamedProblem } from '../solvers/stream-design.ts';

/**
 * As fitLinearHead, on rows that are read in blocks, normalised. The same optimum; the problems of several classes are
 * solved as one, so that a pass serves all of them. Throws FIT_INVALID, INTERRUPTED.
 */
export async function fitStreamedLinear(
  { name, params }: Pick<FittedHead, 'name' | 'params'>,
  lossName: LinearLoss,
  options: {
    readonly C: number;
    readonly tol: number;
    readonly maxIter: number;
    readonly classWeight: ClassWeight;
  },
  source: Rows,
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  const { classes, indices } = checkLabels(source, y);
  const { C, classWeight } = options;
  const byClass = classWeights(indices, classes.length, classWeight);
  const { loss, sum } = streamedLoss(lossName, indices, byClass);
  const penalty = 1 / (C * sum);
  const { mean, spread, sample, sampled } = await statisticsOf(source, sampleRows(source), context);
  const unit = unitOf({ spread });
  const few = {
    X: sample,
    ...streamedLoss(
      lossName,
      Int32Array.from(sampled, (i) => indices[i]!),
      byClass,
    ),
  };
  const precondition = samplePreconditioner({ ...few, penalty, mean, spread, unit }, context);
  const whole = streamedProblem(source, { loss, penalty, mean, unit }, context);
  const fit = await streamedNewtonCg(whole, options, precondition);
  const { converged, iterations, gradient } = fit;
  const notes = [
    passesNote(1 + whole.passes()),
    ...(converged ? [] : [notConverged({ gradient, iterations }, options)]),
  ];
  const facts = { name, params, classes, features: source.cols, converged, iterations, notes };
  const coef = matrix(source.cols, loss.k, new Float32Array(fit.point.coef));
  const shift = weightedRows(mean, new Float64Array(coef.data), loss.k);
  const intercept = Float32Array.from(fit.point.bias, (b, c) => b * unit - shift[c]!);
  return fittedLinear(facts, coef, intercept, { gradient });
}

/** How often the rows were read, in words. */
export const passesNote = (passes: number): string =>
  `fitted in ${passes} pass${passes === 1 ? '' : 'es'} over the stored features`;

/** What a linear fit that did not reach its tolerance says. */
export function notConverged(
  {
    gradient,
    iterations,
    gap = 0,
  }: { readonly gradient: number; readonly iterations: number; readonly gap?: number },
  { maxIter, tol }: StopRule,
): string {
  const above =
    gradient <= tol
      ? ` (small enough, but the objective may be ${(100 * gap).toPrecision(2)} % above its least)`
      : '';
  return `not converged: the largest absolute gradient is ${gradient.toExponential(2)} after ${iterations} of ${maxIter} iterations, tol is ${tol}${above}; raise maxIter, normalise the features or strengthen the penalty (lower C, higher alpha)`;
}
