import type { OptionsOf } from '../../core/options.ts';
import { integerOption, numberOption, resolveOptions } from '../../core/options.ts';
import { checkFit } from '../checks.ts';
import type { Head } from '../head.ts';
import { solveLogistic } from '../solvers/logistic.ts';
import { fittedLinear } from './linear.ts';

/** Options of the head `logistic`: names, meaning and defaults are scikit-learn's. */
export const LOGISTIC_OPTIONS = {
  C: numberOption(1, 'inverse strength of the L2 penalty; smaller is stronger', { above: 0 }),
  tol: numberOption(1e-4, 'stop when the largest absolute gradient is at most this', { above: 0 }),
  maxIter: integerOption(100, 'most Newton steps; typical fits take 3 to 12', { min: 1 }),
};

/**
 * Logistic regression with an L2 penalty: the optimum of scikit-learn's LogisticRegression, binomial for two classes and
 * multinomial for more. Throws OPTION_INVALID.
 */
export function logisticHead(options: Partial<OptionsOf<typeof LOGISTIC_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "logistic"', LOGISTIC_OPTIONS, options);
  return {
    name: 'logistic',
    params,
    async fit(X, y, context) {
      const { classes, indices } = checkFit(X, y);
      const solution = await solveLogistic(X, indices, classes.length, params, context);
      const { converged, iterations, gradient } = solution;
      const notes = converged
        ? []
        : [
            `not converged: the largest absolute gradient is ${gradient.toExponential(2)} after ${iterations} of ${params.maxIter} iterations, tol is ${params.tol}; raise maxIter, normalise the features or lower C`,
          ];
      return fittedLinear(
        { name: 'logistic', params, classes, features: X.cols, converged, iterations, notes },
        solution.weights,
        solution.intercept,
      );
    },
  };
}
