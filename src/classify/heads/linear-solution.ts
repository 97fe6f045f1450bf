import { checkFinite, checkFit, checkLabels } from '../checks.ts';
import type { FitContext, FittedHead, Head } from '../head.ts';
import { designBytes, designForOne } from '../solvers/choose-design.ts';
import type { Design } from '../solvers/design.ts';
import { linearWeights, solveLinear } from '../solvers/linear-fit.ts';
import type { LinearLoss, LinearTask } from '../solvers/linear-problems.ts';
import type { StopRule } from '../solvers/newton-cg.ts';
import type { ClassWeight } from '../solvers/class-weights.ts';
import { sampleBytes } from '../solvers/row-sample.ts';
import { streamDesign, type StreamDesign } from '../solvers/stream-design.ts';
import { fittedLinear } from './linear.ts';

type Self = Pick<FittedHead, 'name' | 'params'>;
interface Options extends StopRule {
  readonly C: number;
  readonly classWeight: ClassWeight;
}

/** Fits of the linear heads of one loss: each to its optimum, on all rows or on parts of them with one design. */
export function linearFits(
  self: Self,
  loss: LinearLoss,
  { classWeight, ...stop }: Options,
): Required<Pick<Head, 'fit' | 'prepare' | 'bytesOf'>> {
  async function solve(
    design: Design | StreamDesign,
    features: number,
    classes: readonly string[],
    of: Pick<LinearTask, 'y' | 'rows'>,
    context?: FitContext,
  ): Promise<FittedHead> {
    const task = { ...of, loss, classes: classes.length, classWeight };
    const solution = await solveLinear(design, task, stop, undefined, context);
    const { weights, intercept } = await linearWeights(design, solution);
    const { converged, iterations, gradient } = solution;
    const notes = [
      ...('passes' in design ? [passesNote(design.passes())] : []),
      ...(converged ? [] : [notConverged(solution, stop)]),
    ];
    const facts = { ...self, classes, features, converged, iterations, notes };
    return fittedLinear(facts, weights, intercept, { gradient });
  }
  return {
    bytesOf: ({ inMemory, ...shape }) => (inMemory ? designBytes(shape) : sampleBytes(shape)),
    async fit(rows, y, context) {
      const X = rows.matrix;
      const { classes, indices } = X === undefined ? checkLabels(rows, y) : checkFit(X, y);
      const design = await (X === undefined ? streamDesign(rows, indices, context) : designForOne(X, stop, context));
      return solve(design, rows.cols, classes, { y: indices }, context);
    },
    async prepare(X, context) {
      checkFinite(X);
      const design = await designForOne(X, stop, context);
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

/** How often the rows were read, in words. */
export const passesNote = (passes: number): string =>
  `fitted in ${passes} pass${passes === 1 ? '' : 'es'} over the stored features`;

/** What a linear fit that did not reach its tolerance says. */
export function notConverged(
  { gradient, iterations, dualityGap }: Awaited<ReturnType<typeof solveLinear>>,
  { maxIter, tol }: StopRule,
): string {
  const above =
    gradient <= tol
      ? ` (small enough, but the objective may be ${(100 * dualityGap).toPrecision(2)} % above its least)`
      : '';
  return `not converged: the largest absolute gradient is ${gradient.toExponential(2)} after ${iterations} of ${maxIter} iterations, tol is ${tol}${above}; raise maxIter, normalise the features or strengthen the penalty (lower C, higher alpha)`;
}
