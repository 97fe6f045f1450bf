import { PermafrostError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import {
  type OptionsOf,
  integerOption,
  numberOption,
  resolveOptions,
  stringOption,
} from '../../core/options.ts';
import { checkFit } from '../checks.ts';
import type { FitContext, FittedHead, Head } from '../head.ts';
import { ridgePath } from '../solvers/ridge-path.ts';
import { CLASS_WEIGHT_OPTION } from '../solvers/row-weights.ts';
import { passesNote } from './streamed-linear.ts';
import { ridgeBytes, streamedRidge } from '../solvers/streamed-ridge.ts';
import { fittedLinear } from './linear.ts';
import { linearFits } from './linear-solution.ts';

/**
 * Up to so many columns one penalty is solved in closed form in a stream: one pass; wider rows by conjugate gradients,
 * in some passes.
 */
const MOST_COLUMNS = 2048;

/**
 * Options of the head `ridge`: names, meaning and defaults are those of scikit-learn's RidgeClassifier and
 * RidgeClassifierCV.
 */
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
 * Probabilities are the logistic function (two classes) or the softmax of the decision values: their order is that of
 * the regression, how sure they look is not calibrated. With `alphas` every penalty is solved in closed form and the
 * one of the least squared leave-one-out error taken, as RidgeClassifierCV does; what was found stands in the notes and
 * in its state (JSON `leaveOneOut`). Throws OPTION_INVALID.
 */
export function ridgeHead(options: Partial<OptionsOf<typeof RIDGE_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "ridge"', RIDGE_OPTIONS, options);
  const alphas = numbersOf(params.alphas);
  const self = { name: 'ridge', params };
  const chosen = (alpha: number, errors: readonly number[]): string =>
    `alpha ${alpha} has the least squared leave-one-out error, ${Math.min(...errors).toFixed(4)}, of ${alphas.join(', ')}`;
  if (alphas.length === 0) {
    const linear = { ...params, C: 1 / params.alpha };
    const fits = linearFits(self, 'squaredError', linear);
    return {
      ...self,
      ...fits,
      bytesOf: (shape) =>
        shape.inMemory || shape.cols > MOST_COLUMNS ? fits.bytesOf(shape) : ridgeBytes(shape.cols, 1),
      fit: (rows, y, context) =>
        rows.matrix !== undefined || rows.cols > MOST_COLUMNS
          ? fits.fit(rows, y, context)
          : fitStreamed([params.alpha], rows, y, context),
    };
  }
  async function fitStreamed(
    penalties: readonly number[],
    source: Rows,
    y: readonly string[],
    context?: FitContext,
  ): Promise<FittedHead> {
    const { classWeight } = params;
    const fit = await streamedRidge(source, y, { alphas: penalties, classWeight }, context);
    const { alpha, errors, classes, weights, intercept, passes } = fit;
    const notes = [passesNote(passes), ...(errors.length > 0 ? [chosen(alpha, errors)] : [])];
    const facts = { ...self, classes, features: source.cols, converged: true, iterations: 0, notes };
    return fittedLinear(
      facts,
      weights,
      intercept,
      errors.length > 0 ? { leaveOneOut: { alphas, errors, alpha } } : {},
    );
  }
  return {
    ...self,
    async fit(rows, y, context) {
      const X = rows.matrix;
      if (X === undefined) return fitStreamed(alphas, rows, y, context);
      const { classes, indices } = checkFit(X, y);
      const task = { y: indices, classes: classes.length, classWeight: params.classWeight };
      const { alpha, errors, weights, intercept } = await ridgePath(X, task, alphas, context);
      const notes = [chosen(alpha, errors)];
      const facts = { ...self, classes, features: X.cols, converged: true, iterations: 0, notes };
      return fittedLinear(facts, weights, intercept, { leaveOneOut: { alphas, errors, alpha } });
    },
    bytesOf: ({ cols, inMemory }) => (inMemory ? 0 : ridgeBytes(cols, alphas.length)),
  };
}

function numbersOf(list: string): number[] {
  if (list.trim() === '') return [];
  const numbers = list.split(',').map(Number);
  if (numbers.every((value) => value > 0 && Number.isFinite(value))) return numbers;
  throw new PermafrostError(
    'OPTION_INVALID',
    `The head "ridge": alphas must be numbers > 0 with commas between them, such as 0.1,1,10, got ${JSON.stringify(list)}.`,
  );
}
