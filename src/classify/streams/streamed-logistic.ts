import type { RowSource } from '../../core/row-source.ts';
import { checkLabels } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { fittedLinear } from '../heads/linear.ts';
import { notConverged } from '../heads/linear-solution.ts';
import { logisticLoss } from '../solvers/logistic-loss.ts';
import { classWeights, rowWeights, sharesOf, type ClassWeight } from '../solvers/row-weights.ts';
import { streamedNewtonCg } from '../solvers/streamed-newton-cg.ts';

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
  const byClass = classWeights(indices, classes.length, classWeight);
  const { shares, sum } = sharesOf(rowWeights(indices, (c) => byClass[c]!));
  const loss = logisticLoss(indices, classes.length === 2 ? 1 : classes.length, shares);
  const fit = await streamedNewtonCg(source, loss, 1 / (C * sum), options, context);
  const { weights, intercept, converged, iterations, gradient, passes } = fit;
  const notes = [
    `fitted in ${passes} passes over the stored features`,
    ...(converged ? [] : [notConverged({ gradient, iterations }, options)]),
  ];
  const facts = { name, params, classes, features: source.cols, converged, iterations, notes };
  return fittedLinear(facts, weights, intercept, { gradient });
}
