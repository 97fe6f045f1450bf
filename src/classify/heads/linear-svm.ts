import { type OptionsOf, resolveOptions } from '../../core/options.ts';
import type { Head } from '../head.ts';
import { linearFits } from './linear-solution.ts';
import { LOGISTIC_OPTIONS } from './logistic.ts';

/** Options of the head `linear-svm`: names, meaning and defaults are LinearSVC's, but for the free intercept. */
export const LINEAR_SVM_OPTIONS = LOGISTIC_OPTIONS;

/**
 * Linear support vector machine: squared hinge, L2 penalty, for three classes or more one against the rest. As
 * scikit-learn's LinearSVC, which penalises the intercept: here it is free, the limit of a large intercept_scaling.
 * Probabilities are the logistic function (two classes) or softmax of the decision values: the order is right, they are
 * not calibrated. Throws OPTION_INVALID.
 */
export function linearSvmHead(options: Partial<OptionsOf<typeof LINEAR_SVM_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "linear-svm"', LINEAR_SVM_OPTIONS, options);
  const self = { name: 'linear-svm', params };
  return { ...self, ...linearFits(self, 'squaredHinge', params) };
}
