import { rowRange, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { countClasses } from '../labels.ts';
import { product, solveBy } from '../linalg/inverse-cholesky.ts';
import { timesThin, transposedTimesThin } from '../linalg/thin.ts';
import { type Shifted, tridiagonalOf } from '../linalg/tridiagonal.ts';
import { positivesOf } from './linear-problems.ts';
import { checkSize, factor, shiftedBy, type RidgeMeans, type RidgeSystem, type RidgeTargets } from './ridge-system.ts';
import { centredRows, momentsBytes, momentsOf } from './row-moments.ts';

/** Rows whose leverages are found at once. */
const ROWS = 512;

/** Bytes of the system of so many columns: itself, the basis of its tridiagonal form and what making that takes. */
export const columnSystemBytes = (cols: number): number =>
  Math.max(momentsBytes(cols), 4 * 8 * cols * cols + 2 * 8 * ROWS * cols);

/** What the closed form needs of the rows. */
interface ColumnMoments extends RidgeMeans {
  /** Sum of the rows' weights. */
  readonly weight: number;
  /** Xcᵀ·Xc, shape (d, d). */
  readonly scatter: Float64Array;
  /** Xcᵀ times the targets, shape (d, k). */
  readonly cross: Float64Array;
}

/** In one pass. Throws FIT_INVALID above 8192 columns, INTERRUPTED. */
async function columnMoments(rows: Rows, { y, byClass }: RidgeTargets, context?: FitContext): Promise<ColumnMoments> {
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
  return { weight, mean, meanTarget, scatter, cross };
}

/** The weights (d, k) of one penalty, by a Cholesky factor, in one pass. Throws as `columnSystem`. */
export async function columnFit(
  rows: Rows,
  targets: RidgeTargets,
  alpha: number,
  context?: FitContext,
): Promise<RidgeMeans & { readonly W: Float64Array }> {
  const moments = await columnMoments(rows, targets, context);
  const inverse = await factor(moments.scatter, rows.cols, alpha);
  return { ...moments, W: await solveBy(inverse, moments.cross, moments.meanTarget.length) };
}

/** The system of Xcᵀ·Xc, in one pass; errors take another. Throws FIT_INVALID above 8192 columns, INTERRUPTED. */
export async function columnSystem(rows: Rows, targets: RidgeTargets, context?: FitContext): Promise<RidgeSystem> {
  const { y, byClass } = targets;
  const d = rows.cols;
  const { weight, mean, meanTarget, scatter, cross } = await columnMoments(rows, targets, context);
  const positives = positivesOf(byClass.length);
  const k = positives.length;
  const T = await tridiagonalOf({ data: scatter, rows: d, cols: d }, context);
  const { basis } = T;
  const turned = await timesThin(basis, cross, k, 'float64');

  /** Adds the squared errors of some rows to the sums of the penalties. */
  async function addErrors(sums: Float64Array, X: Matrix, classes: Int32Array, systems: readonly Shifted[]) {
    const roots = Float64Array.from(classes, (c) => Math.sqrt(byClass[c]!));
    const columns = await product('right', basis, centredRows(X, mean, roots));
    for (const [s, system] of systems.entries()) {
      const fitted = await transposedTimesThin(columns, system.solve(turned, k), k, 'float64');
      const leverages = system.squares(columns.data, X.rows);
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
    async errorsOf(alphas) {
      const systems = alphas.map((alpha) => shiftedBy(T, alpha));
      const sums = new Float64Array(alphas.length);
      for await (const { start, X } of blocksOf(rows)) {
        for (let from = 0; from < X.rows; from += ROWS) {
          checkAborted(context);
          const part = rowRange(X, from, Math.min(X.rows, from + ROWS));
          const classes = y.subarray(start + from, start + from + part.rows);
          await addErrors(sums, part, classes, systems);
        }
      }
      return Array.from(sums, (sum) => sum / (rows.rows * k));
    },
    weightsOf: (alpha) => transposedTimesThin(basis, shiftedBy(T, alpha).solve(turned, k), k, 'float64'),
  };
}
