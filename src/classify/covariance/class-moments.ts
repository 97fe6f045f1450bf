import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { countClasses } from '../labels.ts';
import { standardDeviation } from '../linalg/standard-deviation.ts';

/** Mean and standard deviation of each column in each class, float64. */
export interface ClassMoments {
  /** Rows of each class, shape (classes). */
  readonly counts: Int32Array;
  /** A mean row for each class, (classes) of shape (d). */
  readonly means: readonly Float64Array[];
  /** Over all rows, shape (d). */
  readonly mean: Float64Array;
  /** Of each class; 1 for a column that is constant in it. */
  readonly deviations: readonly Float64Array[];
  /** Columns that are not constant, of each class, shape (classes). */
  readonly varying: Int32Array;
}

/**
 * One pass over rows (n, d) of classes y. A value moves its class' mean and adds to the squares about it (Welford
 * 1962). Throws FIT_INVALID for NaN or infinities, INTERRUPTED.
 */
export async function classMoments(
  rows: Rows,
  y: Int32Array,
  classes: number,
  context?: FitContext,
): Promise<ClassMoments> {
  const d = rows.cols;
  const counts = countClasses(y, classes);
  const means = Array.from(counts, () => new Float64Array(d));
  const squares = Array.from(counts, () => new Float64Array(d));
  const seen = new Int32Array(classes);
  for await (const { start, X } of blocksOf(rows)) {
    checkAborted(context);
    checkFinite(X, start);
    for (let i = 0; i < X.rows; i++) {
      const c = y[start + i]!;
      addRow(X.data, i * d, ++seen[c]!, means[c]!, squares[c]!);
    }
  }
  const mean = new Float64Array(d);
  const varying = new Int32Array(classes);
  const deviations = means.map((own, c) => {
    for (let j = 0; j < d; j++) mean[j]! += (counts[c]! / rows.rows) * own[j]!;
    return squares[c]!.map((sum, j) => {
      const deviation = standardDeviation(sum, own[j]!, counts[c]!);
      if (deviation > 0) varying[c]!++;
      return deviation || 1;
    });
  });
  return { counts, means, mean, deviations, varying };
}

/** Adds row `from` ... of `data`, the n-th of its class. */
function addRow(data: Float32Array, from: number, n: number, mean: Float64Array, squares: Float64Array): void {
  for (let j = 0; j < mean.length; j++) {
    const value = data[from + j]!;
    const before = value - mean[j]!;
    mean[j]! += before / n;
    squares[j]! += before * (value - mean[j]!);
  }
}
