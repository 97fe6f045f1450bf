import { matrix, row, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { dot } from '../linalg/vectors.ts';

export interface ColumnStatistics {
  /** Column means, in float64. */
  readonly mean: Float64Array;
  /** Mean squared norm of the centred rows. */
  readonly meanSquaredNorm: number;
}

/**
 * One pass; also returns the rows `sampled`, ascending (m, d). Throws FIT_INVALID for NaN or infinities, INTERRUPTED.
 */
export async function rowStatistics(
  source: Rows,
  sampled: Int32Array,
  context?: FitContext,
): Promise<ColumnStatistics & { readonly sample: Matrix }> {
  const sample = matrix(sampled.length, source.cols);
  const sums = new Float64Array(source.cols);
  let squares = 0;
  let taken = 0;
  for await (const { start, X } of blocksOf(source)) {
    checkAborted(context);
    squares += addRows(sums, X);
    // Whatever is not finite is so in the sum of squares: the values are looked at only then.
    if (!Number.isFinite(squares)) checkFinite(X, start);
    for (; taken < sampled.length && sampled[taken]! < start + X.rows; taken++)
      sample.data.set(row(X, sampled[taken]! - start), taken * X.cols);
  }
  return { ...statisticsOf(sums, squares, source.rows), sample };
}

/** The same of rows in memory. */
export function columnStatistics(X: Matrix): ColumnStatistics {
  const sums = new Float64Array(X.cols);
  return statisticsOf(sums, addRows(sums, X), X.rows);
}

function statisticsOf(sums: Float64Array, squares: number, rows: number): ColumnStatistics {
  const mean = sums.map((sum) => sum / rows);
  return { mean, meanSquaredNorm: Math.max(0, squares / rows - dot(mean, mean)) };
}

/** Adds the rows to the sums of their columns; returns the sum of their squares. */
function addRows(sums: Float64Array, { data }: Matrix): number {
  let squares = 0;
  for (let at = 0; at < data.length;) {
    for (let j = 0; j < sums.length; j++, at++) {
      const value = data[at]!;
      sums[j]! += value;
      squares += value * value;
    }
  }
  return squares;
}
