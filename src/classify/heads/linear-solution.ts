import { checkFinite, checkFit, checkLabels } from '../checks.ts';
import type { FitContext, FittedHead, Head } from '../head.ts';
import { designForOne, designOf } from '../solvers/choose-design.ts';
import type { Design } from '../solvers/design.ts';
import { type LinearLoss, type LinearTask, fitLinear, linearWeights } from '../solvers/linear-fit.ts';
import type { ClassWeight } from '../solvers/row-weights.ts';
import { sampleRows } from '../solvers/sample-preconditioner.ts';
import { fittedLinear } from './linear.ts';
import { fitStreamedLinear, notConverged } from './streamed-linear.ts';

type Self = Pick<FittedHead, 'name' | 'params'>;
interface Options {
  readonly C: number;
  readonly tol: number;
  readonly maxIter: number;
  readonly classWeight: ClassWeight;
}

/**
 * How linear heads of one loss are fitted: each solved to its optimum, on all rows or on parts of the same rows with
 * one design.
 */
export function linearFits(
  self: Self,
  loss: LinearLoss,
  options: Options,
): Required<Pick<Head, 'fit' | 'prepare' | 'bytesOf'>> {
  const { C, tol, maxIter, classWeight } = options;
  async function solve(
    design: Design,
    features: number,
    classes: readonly string[],
    of: Pick<LinearTask, 'y' | 'rows'>,
    context?: FitContext,
  ): Promise<FittedHead> {
    const task = { ...of, loss, classes: classes.length, classWeight };
    const fit = await fitLinear(design, task, { C, tol, maxIter }, undefined, context);
    const { weights, intercept } = await linearWeights(design, fit);
    const { converged, iterations, gradient } = fit;
    const notes = converged ? [] : [notConverged(fit, { maxIter, tol })];
    return fittedLinear({ ...self, classes, features, converged, iterations, notes }, weights, intercept, {
      gradient,
    });
  }
  return {
    bytesOf: ({ rows, cols, inMemory }) => (inMemory ? 0 : 4 * cols * sampleRows({ rows, cols })),
    async fit(rows, y, context) {
      const X = rows.matrix;
      if (X === undefined) return fitStreamedLinear(self, loss, options, rows, y, context);
      const { classes, indices } = checkFit(X, y);
      return solve(await designForOne(X, { C, tol }, context), X.cols, classes, { y: indices }, context);
    },
    async prepare(X, context) {
      checkFinite(X);
      const design = await designOf(X, context);
      return async (rows, labels) => {
        const { classes, indices } = checkLabels({ rows: rows.length, cols: X.cols }, labels);
        // Rows that are left out have no weight, whatever class stands for them.
        const y = new Int32Array(X.rows);
        rows.forEach((row, i) => (y[row] = indices[i]!));
        return solve(design, X.cols, classes, { y, rows }, context);
      };
    },
  };
}
