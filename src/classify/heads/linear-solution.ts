import type { Matrix } from '../../core/matrix.ts';
import { checkFit } from '../checks.ts';
import type { FitContext, FittedHead } from '../head.ts';
import { designOf } from '../solvers/choose-design.ts';
import type { LinearLoss } from '../solvers/linear-fit.ts';
import { fitLinear, linearWeights } from '../solvers/linear-fit.ts';
import type { ClassWeight } from '../solvers/row-weights.ts';
import type { StopRule } from '../solvers/newton-cg.ts';
import { fittedLinear } from './linear.ts';

/** A linear head solved to its optimum. */
export async function fitLinearHead(
  { name, params }: Pick<FittedHead, 'name' | 'params'>,
  loss: LinearLoss,
  options: {
    readonly C: number;
    readonly tol: number;
    readonly maxIter: number;
    readonly classWeight: ClassWeight;
  },
  X: Matrix,
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  const { classes, indices } = checkFit(X, y);
  const design = await designOf(X, context);
  const { C, tol, maxIter, classWeight } = options;
  const task = { loss, y: indices, classes: classes.length, classWeight };
  const fit = await fitLinear(design, task, { C, tol, maxIter }, undefined, context);
  const { weights, intercept } = await linearWeights(design, fit);
  const { converged, iterations, gradient } = fit;
  const notes = converged ? [] : [notConverged({ gradient, iterations }, { maxIter, tol })];
  const facts = {
    name,
    params,
    classes,
    features: X.cols,
    converged,
    iterations,
    notes,
  };
  return fittedLinear(facts, weights, intercept, { gradient });
}

/** What a linear fit that did not reach its tolerance says. */
export function notConverged(
  { gradient, iterations }: { readonly gradient: number; readonly iterations: number },
  { maxIter, tol }: StopRule,
): string {
  return `not converged: the largest absolute gradient is ${gradient.toExponential(2)} after ${iterations} of ${maxIter} iterations, tol is ${tol}; raise maxIter, normalise the features or strengthen the penalty (lower C, higher alpha)`;
}
