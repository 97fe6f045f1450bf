import { PermafrostError } from '../../core/errors.ts';
import { matrix, rowRange } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted, checkLabels } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { countClasses } from '../labels.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { positivesOf } from './against-rest.ts';
import { solveBy } from '../linalg/inverse-cholesky.ts';
import type { RidgeChoice } from './ridge-path.ts';
import { factor, leveragesOf, MOST, type Inverse } from './ridge-system.ts';
import { classWeights, type ClassWeight } from './row-weights.ts';
import { weightedRows } from '../linalg/vectors.ts';
import { centredColumns, momentsBytes, momentsOf, type RowMoments } from './row-moments.ts';

/** Rows whose leverages are found at once. */
const ROWS = 1024;

export interface StreamedRidge extends Pick<RidgeChoice, 'alpha' | 'errors' | 'weights' | 'intercept'> {
  readonly classes: readonly string[];
  readonly passes: number;
}

/** Bytes that it takes beside the block: the system, its factors, one a penalty, and what making one takes. */
export const ridgeBytes = (cols: number, alphas: number): number =>
  Math.max(momentsBytes(cols), 8 * cols * cols * (4 + (alphas > 1 ? alphas : 1)) + 16 * ROWS * cols);

/**
 * As ridgePath on rows that are read in blocks, normalised: the (d, d) system of one pass, and for several penalties a
 * second pass for the leave-one-out errors of all. Where one penalty is given there is nothing to choose, `errors` is
 * empty and one pass is enough. Throws FIT_INVALID above 8192 columns, INTERRUPTED.
 */
export async function streamedRidge(
  source: Rows,
  y: readonly string[],
  { alphas, classWeight }: { readonly alphas: readonly number[]; readonly classWeight: ClassWeight },
  context?: FitContext,
): Promise<StreamedRidge> {
  const { classes, indices } = checkLabels(source, y);
  const d = source.cols;
  if (d > MOST) {
    throw new PermafrostError(
      'FIT_INVALID',
      `The system of these features would be ${d} x ${d}, and at most ${MOST} columns are taken. Give a single alpha, or use pooled features.`,
    );
  }
  const byClass = classWeights(indices, classes.length, classWeight);
  const moments = await momentsOf(source, indices, byClass, context);
  const { cross, meanTarget } = targetsOf(moments, indices, byClass);
  const k = meanTarget.length;
  const solutions: { readonly inverse: Inverse; readonly W: Float64Array }[] = [];
  for (const alpha of alphas) {
    checkAborted(context);
    const inverse = await factor(moments.scatter, d, alpha);
    solutions.push({ inverse, W: await solveBy(inverse, cross, k) });
  }
  const errors =
    alphas.length > 1
      ? await leaveOneOut(source, { indices, byClass, moments, meanTarget, solutions }, context)
      : [];
  const best = errors.length === 0 ? 0 : errors.indexOf(Math.min(...errors));
  const { W } = solutions[best]!;
  const shift = weightedRows(moments.mean, W, k);
  return {
    classes,
    alpha: alphas[best]!,
    errors,
    weights: matrix(d, k, new Float32Array(W)),
    intercept: Float32Array.from(meanTarget, (t, c) => t - shift[c]!),
    passes: alphas.length > 1 ? 2 : 1,
  };
}

/**
 * The targets' weighted means (k), and their weighted products with the centred rows (d, k): from the class means
 * alone.
 */
function targetsOf(
  { weight, mean, classMeans }: RowMoments,
  y: Int32Array,
  byClass: Float64Array,
): { readonly cross: Float64Array; readonly meanTarget: Float64Array } {
  const counts = countClasses(y, byClass.length);
  const positives = positivesOf(byClass.length);
  const cross = new Float64Array(mean.length * positives.length);
  const meanTarget = Float64Array.from(positives, (c) => (2 * counts[c]! * byClass[c]!) / weight - 1);
  positives.forEach((c, column) => {
    // Targets are twice a row's membership less 1, and the centred rows sum to nothing.
    const twice = 2 * counts[c]! * byClass[c]!;
    for (let j = 0; j < mean.length; j++)
      cross[j * positives.length + column] = twice * (classMeans[c]![j]! - mean[j]!);
  });
  return { cross, meanTarget };
}

interface Solved {
  readonly indices: Int32Array;
  readonly byClass: Float64Array;
  readonly moments: RowMoments;
  readonly meanTarget: Float64Array;
  readonly solutions: readonly { readonly inverse: Inverse; readonly W: Float64Array }[];
}

/** The mean squared leave-one-out error of each solution, as in ridgePath. One pass. */
async function leaveOneOut(
  source: Rows,
  { indices, byClass, moments: { mean, weight }, meanTarget, solutions }: Solved,
  context?: FitContext,
): Promise<number[]> {
  const k = meanTarget.length;
  const positives = positivesOf(byClass.length);
  const sums = solutions.map(() => 0);
  for await (const { start, X } of blocksOf(source)) {
    for (let from = 0; from < X.rows; from += ROWS) {
      checkAborted(context);
      const part = rowRange(X, from, Math.min(X.rows, from + ROWS));
      const y = indices.subarray(start + from, start + from + part.rows);
      const roots = Float64Array.from(y, (c) => Math.sqrt(byClass[c]!));
      const columns = centredColumns(part, mean, roots);
      for (const [s, { inverse, W }] of solutions.entries()) {
        const fitted = await transposedTimesThin(columns, W, k, 'float64');
        const leverages = await leveragesOf(inverse, columns);
        for (let at = 0; at < fitted.length; at++) {
          const i = Math.floor(at / k);
          const target = y[i] === positives[at % k] ? 1 : -1;
          const residual = roots[i]! * (target - meanTarget[at % k]!) - fitted[at]!;
          sums[s]! += (residual / (1 - leverages[i]! - byClass[y[i]!]! / weight)) ** 2;
        }
      }
    }
  }
  return sums.map((sum) => sum / (source.rows * k));
}
