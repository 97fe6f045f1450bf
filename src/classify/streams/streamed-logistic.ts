import { matrix } from '../../core/matrix.ts';
import type { RowSource } from '../../core/row-source.ts';
import { checkLabels } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { fittedLinear } from '../heads/linear.ts';
import { notConverged } from '../heads/linear-solution.ts';
import { logisticLoss } from '../solvers/logistic-loss.ts';
import { unitOf } from '../solvers/problem.ts';
import { classWeights, rowWeights, sharesOf, type ClassWeight } from '../solvers/row-weights.ts';
import { weightedRows } from '../solvers/vectors.ts';
import { statisticsOf } from './row-statistics.ts';
import { samplePreconditioner, sampleRows } from './sample-preconditioner.ts';
import { streamedNewtonCg } from './streamed-newton-cg.ts';
import { streamedProblem } from './streamed-problem.ts';

/** As fitLinearHead for the logistic loss, on rows that are read in blocks, normalised. The same optimum. Throws FIT_INVALID, INTERRUPTED. */
export async function fitStreamedLogistic(
  { name, params }: Pick<FittedHead, 'name' | 'params'>,
  options: {
    readonly C: number;
    readonly tol: number;
    readonly maxIter: number;
    readonly classWeight: ClassWeight;
  },
  source: RowSource,
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  const { classes, indices } = checkLabels(source, y);
  const { C, classWeight } = options;
  const k = classes.length === 2 ? 1 : classes.length;
  const byClass = classWeights(indices, classes.length, classWeight);
  const weights = rowWeights(indices, (c) => byClass[c]!);
  const { shares, sum } = sharesOf(weights);
  const penalty = 1 / (C * sum);
  const { mean, spread, sample, sampled } = await statisticsOf(source, sampleRows(source), context);
  const unit = unitOf({ spread });
  const few = {
    X: sample,
    y: Int32Array.from(sampled, (i) => indices[i]!),
    weights: Float64Array.from(sampled, (i) => weights[i]!),
  };
  const precondition = samplePreconditioner({ ...few, k, penalty, mean, spread, unit }, context);
  const whole = streamedProblem(
    source,
    { loss: logisticLoss(indices, k, shares), penalty, mean, unit },
    context,
  );
  const fit = await streamedNewtonCg(whole, options, precondition);
  const { converged, iterations, gradient } = fit;
  const notes = [
    `fitted in ${1 + whole.passes()} passes over the stored features`,
    ...(converged ? [] : [notConverged({ gradient, iterations }, options)]),
  ];
  const facts = { name, params, classes, features: source.cols, converged, iterations, notes };
  const coef = matrix(source.cols, k, new Float32Array(fit.point.coef));
  const shift = weightedRows(mean, new Float64Array(coef.data), k);
  const intercept = Float32Array.from(fit.point.bias, (b, c) => b * unit - shift[c]!);
  return fittedLinear(facts, coef, intercept, { gradient });
}
