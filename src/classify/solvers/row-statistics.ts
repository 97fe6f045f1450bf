import { matrix, row, type Matrix } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { dot } from '../linalg/vectors.ts';

/** What one pass over the rows tells. */
export interface RowStatistics {
  /** Column means, in float64. */
  readonly mean: Float64Array;
  /** Mean squared length of the centred rows. */
  readonly spread: number;
  /** Rows that lie evenly among all, shape (m, d), and their numbers. */
  readonly sample: Matrix;
  readonly sampled: Int32Array;
}

/**
 * One pass: means, spread, and about `most` of the rows, at least one. Throws FIT_INVALID for values that are not
 * finite, INTERRUPTED.
 */
export async function statisticsOf(source: Rows, most: number, context?: FitContext): Promise<RowStatistics> {
  const count = Math.max(1, Math.min(source.rows, most));
  const sampled = Int32Array.from({ length: count }, (_, i) => Math.floor((i * source.rows) / count));
  const sample = matrix(count, source.cols);
  const mean = new Float64Array(source.cols);
  let squares = 0;
  let taken = 0;
  for await (const { start, X } of blocksOf(source)) {
    checkAborted(context);
    checkFinite(X);
    for (let i = 0; i < X.rows; i++) {
      squares += addRow(mean, row(X, i));
      if (sampled[taken] === start + i) sample.data.set(row(X, i), taken++ * X.cols);
    }
  }
  for (let j = 0; j < mean.length; j++) mean[j]! /= source.rows;
  return { mean, spread: Math.max(0, squares / source.rows - dot(mean, mean)), sample, sampled };
}

function addRow(sums: Float64Array, values: Float32Array): number {
  let squares = 0;
  for (let j = 0; j < values.length; j++) {
    const value = values[j]!;
    sums[j]! += value;
    squares += value * value;
  }
  return squares;
}
