import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { designOf } from './design.ts';
import { newtonCg } from './newton-cg.ts';

export interface LogisticSolution {
  /** Shape (d, k): one column for two classes, else one a class. */
  readonly weights: Matrix;
  /** Shape (k). */
  readonly intercept: Float32Array;
  readonly converged: boolean;
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient, in scikit-learn's scaling. */
  readonly gradient: number;
}

/**
 * The optimum that scikit-learn's LogisticRegression (L2, lbfgs) approaches, for X (n, d) and class indices y: two classes have one
 * weight vector and the binomial loss, three or more the multinomial loss with every class' vector penalised; the intercept
 * is free. C multiplies the summed loss; tol bounds the largest absolute gradient of the objective divided by C·n.
 */
export async function solveLogistic(
  X: Matrix,
  y: Int32Array,
  classes: number,
  options: { readonly C: number; readonly tol: number; readonly maxIter: number },
  context?: FitContext,
): Promise<LogisticSolution> {
  const k = classes === 2 ? 1 : classes;
  const design = await designOf(X);
  const optimum = await newtonCg({ design, y, k, ...options }, context);
  const { weights, offset } = await design.weights(optimum.coef, k);
  return {
    weights,
    intercept: Float32Array.from(optimum.intercept, (value, c) => value - offset[c]!),
    converged: optimum.converged,
    iterations: optimum.iterations,
    gradient: optimum.gradient,
  };
}
