import { rowRange, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { countClasses } from '../labels.ts';
import { solveBy } from '../linalg/inverse-cholesky.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { rowColumns, triangleOf, type Triangle } from './leverages.ts';
import { positivesOf } from './linear-problems.ts';
import { checkSize, factor, type RidgeSystem, type RidgeTargets } from './ridge-system.ts';
import { centredColumns, momentsBytes, momentsOf } from './row-moments.ts';

/** Rows whose leverages are found at once. */
const ROWS = 1024;
/** Values of inverses that are kept at once where rows need not be read again: 0.5 GB. */
const KEPT_VALUES = 2 ** 26;

/** How many solutions are kept at once for their errors: all where each pass reads the rows again. */
const mostKept = (cols: number, inMemory: boolean): number =>
  inMemory ? Math.max(1, Math.floor(KEPT_VALUES / cols ** 2)) : Infinity;

/** Bytes of the system of so many columns: itself, factors, one inverse a penalty and what making one takes. */
export function columnSystemBytes(cols: number, alphas: number, inMemory: boolean): number {
  const kept = Math.min(alphas, mostKept(cols, inMemory));
  return Math.max(momentsBytes(cols), 8 * cols * cols * (4 + kept) + 28 * ROWS * cols);
}

interface ColumnSolution {
  readonly inverse: Triangle;
  /** Shape (d, k). */
  readonly W: Float64Array;
}

/** The system of Xcᵀ·Xc, in one pass; errors take another. Throws FIT_INVALID above 8192 columns, INTERRUPTED. */
export async function columnSystem(
  rows: Rows,
  { y, byClass }: RidgeTargets,
  context?: FitContext,
): Promise<RidgeSystem<ColumnSolution>> {
  const d = rows.cols;
  checkSize(d, rows);
  const { weight, mean, scatter, classMeans } = await momentsOf(rows, y, byClass, context);
  const positives = positivesOf(byClass.length);
  const k = positives.length;
  const counts = countClasses(y, byClass.length);
  const meanTarget = Float64Array.from(positives, (c) => (2 * counts[c]! * byClass[c]!) / weight - 1);
  // Targets are twice a row's membership less 1, and the centred rows sum to nothing.
  const cross = Float64Array.from({ length: d * k }, (_, at) => {
    const [j, c] = [Math.floor(at / k), positives[at % k]!];
    return 2 * counts[c]! * byClass[c]! * (classMeans[c]![j]! - mean[j]!);
  });

  /** Adds the squared errors of some rows to the sums of the solutions. */
  async function addErrors(sums: Float64Array, X: Matrix, classes: Int32Array, solutions: readonly ColumnSolution[]) {
    const roots = Float64Array.from(classes, (c) => Math.sqrt(byClass[c]!));
    const columns = centredColumns(X, mean, roots);
    const measured = rowColumns(columns);
    for (const [s, { inverse, W }] of solutions.entries()) {
      const fitted = await transposedTimesThin(columns, W, k, 'float64');
      const leverages = await inverse.leverages(measured);
      for (let at = 0; at < fitted.length; at++) {
        const i = Math.floor(at / k);
        const target = classes[i] === positives[at % k] ? 1 : -1;
        const residual = roots[i]! * (target - meanTarget[at % k]!) - fitted[at]!;
        sums[s]! += (residual / (1 - leverages[i]! - byClass[classes[i]!]! / weight)) ** 2;
      }
    }
  }

  return {
    mean,
    meanTarget,
    mostKept: mostKept(d, rows.matrix !== undefined),
    async solve(alpha) {
      const inverse = await factor(scatter, d, alpha);
      return { inverse: triangleOf(inverse), W: await solveBy(inverse, cross, k) };
    },
    async errorsOf(solutions) {
      const sums = new Float64Array(solutions.length);
      for await (const { start, X } of blocksOf(rows)) {
        for (let from = 0; from < X.rows; from += ROWS) {
          checkAborted(context);
          const part = rowRange(X, from, Math.min(X.rows, from + ROWS));
          const classes = y.subarray(start + from, start + from + part.rows);
          await addErrors(sums, part, classes, solutions);
        }
      }
      return Array.from(sums, (sum) => sum / (rows.rows * k));
    },
    weightsOf: ({ W }) => Promise.resolve(W),
  };
}
