import { type Matrix, row, rowRange } from '../../core/matrix.ts';
import { timesTransposed } from '../linalg/times.ts';
import { distance, extentOf, lengthsOf, productDistance, productError } from './distance.ts';
import type { Metric } from './neighbor-index.ts';
import type { TopK } from './top-k.ts';

/** Inner products of one block of queries with all rows: 16 MiB of float32. */
const BLOCK_VALUES = 2 ** 22;

/** Rows to compare: X (n, d), their lengths, and the number of each, which breaks ties. */
export interface ComparedRows {
  readonly X: Matrix;
  readonly lengths: Float64Array;
  readonly metric: Metric;
  readonly numberOf: (row: number) => number;
}

/**
 * The nearest rows of X (n, d) to each query, however many are tied: all that float32 rounding could have put among
 * them are measured in float64. `found` is called for each query in turn, when `nearest` holds its answer.
 */
export async function fullSearch(
  { X, lengths, metric, numberOf }: ComparedRows,
  queries: Matrix,
  nearest: TopK,
  found: (query: number) => void,
): Promise<void> {
  const extent = extentOf(lengths);
  const queryLengths = lengthsOf(queries);
  const keys = new Float64Array(queries.rows === 0 ? 0 : X.rows);
  const size = Math.max(1, Math.floor(BLOCK_VALUES / X.rows));
  for (let start = 0; start < queries.rows; start += size) {
    const end = Math.min(queries.rows, start + size);
    const products = await timesTransposed(rowRange(queries, start, end), X);
    for (let i = start; i < end; i++) {
      rankOne(row(queries, i), queryLengths[i]!, row(products, i - start));
      found(i);
    }
  }

  function rankOne(query: Float32Array, length: number, products: Float32Array): void {
    nearest.clear();
    for (let j = 0; j < X.rows; j++) {
      const key = productDistance(metric, products[j]!, length, lengths[j]!);
      keys[j] = key;
      if (key <= nearest.bound()) nearest.offer(key, j);
    }
    const error = productError(X.cols, length, extent);
    const { longest } = extent;
    // What float64 rounds too, on the lengths and on the distances that decide.
    const float64 = X.cols * 2 ** -50 * (metric === 'cosine' ? 1 : length ** 2 + longest ** 2);
    const rounding = (metric === 'cosine' ? error : 2 * error * length * longest) + float64;
    // Twice the rounding: once for the k-th kept, once for the row left out.
    const limit = nearest.bound() + 2 * rounding;
    nearest.clear();
    for (let j = 0; j < X.rows; j++) {
      // Not "keys[j] <= limit": what overflowed to NaN is measured too.
      if (keys[j]! > limit) continue;
      nearest.offer(distance(metric, query, row(X, j), length, lengths[j]!), numberOf(j));
    }
  }
}
