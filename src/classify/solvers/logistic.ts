import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { columnDesign } from './column-design.ts';
import { logisticProblem } from './logistic-problem.ts';
import type { StopRule } from './newton-cg.ts';
import { newtonCg } from './newton-cg.ts';
import { rowDesign } from './row-design.ts';

export interface LogisticSolution {
  /** Shape (d, k): one column for two classes, else one a class. */
  readonly weights: Matrix;
  /** Shape (k). */
  readonly intercept: Float32Array;
  readonly converged: boolean;
  /** Newton steps. */
  readonly iterations: number;
  /** Upper bound of the largest absolute gradient, in scikit-learn's scaling. */
  readonly gradient: number;
}

/**
 * The optimum that scikit-learn's LogisticRegression (penalty l2) approaches, for X (n, d) and class indices y: two classes have one
 * weight vector and the binomial loss, three or more the multinomial loss with the vectors of all classes penalised; the
 * intercept is free. C multiplies the summed loss; tol bounds the largest absolute gradient of the objective over C · n.
 */
export async function solveLogistic(
  X: Matrix,
  y: Int32Array,
  classes: number,
  { C, ...stop }: StopRule & { readonly C: number },
  context?: FitContext,
): Promise<LogisticSolution> {
  const k = classes === 2 ? 1 : classes;
  // With fewer rows than columns in the span of the rows, whose Gram matrix must stay below 2^31 bytes.
  const wide = X.rows < X.cols && X.rows ** 2 < 2 ** 29;
  const problem = logisticProblem(wide ? await rowDesign(X) : columnDesign(X), y, k, C);
  const { point, converged, iterations, gradient } = await newtonCg(problem, stop, context);
  const { weights, meanScores } = await problem.design.weights(point.coef, k);
  const intercept = Float32Array.from(point.bias, (bias, c) => bias * problem.unit - meanScores[c]!);
  return { weights, intercept, converged, iterations, gradient };
}
