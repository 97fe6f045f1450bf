import { type OptionsOf, resolveOptions } from '../../core/options.ts';
import type { Head } from '../head.ts';
import { linearFits } from './linear-solution.ts';
import { LOGISTIC_OPTIONS } from './logistic.ts';

/**
 * Options of the head `linear-svm`: names, meaning and defaults are those of scikit-learn's LinearSVC, but for the free
 * intercept.
 */
export const LINEAR_SVM_OPTIONS = LOGISTIC_OPTIONS;

/**
 * A linear support vector machine: squared hinge loss with an L2 penalty, for three classes or more one against the
 * rest. The optimum of scikit-learn's LinearSVC with one difference: LinearSVC penalises the intercept as one more
 * weight, here it is free, which LinearSVC approaches as its intercept_scaling grows. Probabilities are the logistic
 * function (two classes) or the softmax of the decision values: their order is the machine's, how sure they look is not
 * calibrated. Throws OPTION_INVALID.
 */
export function linearSvmHead(options: Partial<OptionsOf<typeof LINEAR_SVM_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "linear-svm"', LINEAR_SVM_OPTIONS, options);
  const self = { name: 'linear-svm', params };
  return { ...self, ...linearFits(self, 'squaredHinge', params) };
}
