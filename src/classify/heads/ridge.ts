import type { Rows } from '../../core/rows.ts';
import { type OptionsOf, integerOption, numberOption, resolveOptions, stringOption } from '../../core/options.ts';
import { checkLabels } from '../checks.ts';
import type { FittedHead, Head } from '../head.ts';
import { type RidgeChoice, type RidgeFit, ridgeBytes, ridgeFit, ridgePath } from '../solvers/ridge-path.ts';
import { CLASS_WEIGHT_OPTION } from '../solvers/class-weights.ts';
import { fittedLinear } from './linear.ts';
import { linearFits, passesNote } from './linear-solution.ts';
import { numbersOf } from './number-list.ts';

/** In a stream one penalty on so many columns is solved in closed form, in one pass; wider rows take several. */
const MOST_COLUMNS = 2048;

/** Options of the head `ridge`: names, meaning and defaults of scikit-learn's RidgeClassifier and RidgeClassifierCV. */
export const RIDGE_OPTIONS = {
  alpha: numberOption(1, 'strength of the L2 penalty; larger is stronger', { above: 0 }),
  alphas: stringOption(
    '',
    'penalties to choose from by leave-one-out, such as 0.1,1,10; replaces alpha, and needs no more than 8192 rows or columns',
  ),
  classWeight: CLASS_WEIGHT_OPTION,
  tol: numberOption(1e-6, 'stop when the largest absolute gradient is at most this', { above: 0 }),
  maxIter: integerOption(100, 'most Newton steps; typical fits take 2 to 10', { min: 1 }),
};

/**
 * Ridge regression to targets of -1 and 1, for three classes or more one against the rest; the intercept is free.
 * Probabilities are the logistic function (two classes) or softmax of the decision values: the order is right, they are
 * not calibrated. `alphas`: all are solved in closed form, the one of the least squared leave-one-out error is taken,
 * as by RidgeClassifierCV; the errors stand in the state (JSON `leaveOneOut`). Throws OPTION_INVALID.
 */
export function ridgeHead(options: Partial<OptionsOf<typeof RIDGE_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "ridge"', RIDGE_OPTIONS, options);
  const alphas = numbersOf('The head "ridge"', 'alphas', params.alphas);
  const self = { name: 'ridge', params };
  const { classWeight } = params;
  /** What is solved in closed form says. */
  function fitted(
    rows: Rows,
    classes: readonly string[],
    { weights, intercept }: RidgeFit,
    passes: number,
    leaveOneOut?: Pick<RidgeChoice, 'alpha' | 'errors'>,
  ): FittedHead {
    const notes = rows.matrix === undefined ? [passesNote(passes)] : [];
    if (leaveOneOut !== undefined) {
      const least = Math.min(...leaveOneOut.errors).toFixed(4);
      notes.push(
        `alpha ${leaveOneOut.alpha} has the least squared leave-one-out error, ${least}, of ${alphas.join(', ')}`,
      );
    }
    const facts = { ...self, classes, features: rows.cols, converged: true, iterations: 0, notes };
    const more = leaveOneOut === undefined ? {} : { leaveOneOut: { alphas, ...leaveOneOut } };
    return fittedLinear(facts, weights, intercept, more);
  }
  if (alphas.length > 0) {
    return {
      ...self,
      bytesOf: ridgeBytes,
      async fit(rows, y, context) {
        const { classes, indices } = checkLabels(rows, y);
        const task = { y: indices, classes: classes.length, classWeight };
        const { alpha, errors, ...fit } = await ridgePath(rows, task, alphas, context);
        return fitted(rows, classes, fit, 2, { alpha, errors });
      },
    };
  }
  const fits = linearFits(self, 'squaredError', { ...params, C: 1 / params.alpha });
  const inOnePass = (inMemory: boolean, cols: number): boolean => !inMemory && cols <= MOST_COLUMNS;
  return {
    ...self,
    ...fits,
    bytesOf: (shape) => (inOnePass(shape.inMemory, shape.cols) ? ridgeBytes(shape) : fits.bytesOf(shape)),
    async fit(rows, y, context) {
      if (!inOnePass(rows.matrix !== undefined, rows.cols)) return fits.fit(rows, y, context);
      const { classes, indices } = checkLabels(rows, y);
      const task = { y: indices, classes: classes.length, classWeight };
      return fitted(rows, classes, await ridgeFit(rows, task, params.alpha, context), 1);
    },
  };
}
