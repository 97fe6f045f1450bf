import { type OptionsOf, integerOption, numberOption, resolveOptions } from '../../core/options.ts';
import type { Head } from '../head.ts';
import { CLASS_WEIGHT_OPTION } from '../solvers/class-weights.ts';
import { linearFits } from './linear-solution.ts';

/** Options of the head `logistic`: names, meaning and defaults are scikit-learn's. */
export const LOGISTIC_OPTIONS = {
  C: numberOption(1, 'inverse strength of the L2 penalty; smaller is stronger', { above: 0 }),
  classWeight: CLASS_WEIGHT_OPTION,
  tol: numberOption(1e-4, 'stop when the largest absolute gradient is at most this', { above: 0 }),
  maxIter: integerOption(100, 'most Newton steps; typical fits take 3 to 12', { min: 1 }),
};

/**
 * Logistic regression with an L2 penalty, as scikit-learn's: binomial for two classes, multinomial for more. The state
 * has the final gradient (JSON `gradient`). Throws OPTION_INVALID.
 */
export function logisticHead(options: Partial<OptionsOf<typeof LOGISTIC_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "logistic"', LOGISTIC_OPTIONS, options);
  const self = { name: 'logistic', params };
  return { ...self, ...linearFits(self, 'logistic', params) };
}
