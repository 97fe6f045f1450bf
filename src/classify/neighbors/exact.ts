import type { Matrix } from '../../core/matrix.ts';
import { row } from '../../core/matrix.ts';
import { checkPredict } from '../checks.ts';
import { timesTransposed } from '../linalg.ts';
import { distance, lengthsOf, productDistance, productRounding } from './distance.ts';
import type { Metric, NeighborIndex } from './neighbor-index.ts';
import { topK } from './top-k.ts';

/** Inner products of one block of queries with all rows: 64 MiB of float32. */
const BLOCK_VALUES = 2 ** 24;

/**
 * Exact search over the rows of X (n, d), which is kept, not copied. Inner products come from a float32 Gemm, a block of queries
 * at a time; every row that its rounding could have put among the k nearest is then measured again in float64. So the
 * answers and their order are those of a brute-force search in float64.
 */
export function exactIndex(X: Matrix, metric: Metric): NeighborIndex {
  const lengths = lengthsOf(X);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const keys = new Float64Array(X.rows);

  return {
    metric,
    rows: X.rows,
    cols: X.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, X.cols);
      const k = Math.min(wanted, X.rows);
      const nearest = topK(k);
      const indices = new Int32Array(queries.rows * k);
      const distances = new Float32Array(queries.rows * k);
      const queryLengths = lengthsOf(queries);

      const size = Math.max(1, Math.floor(BLOCK_VALUES / Math.max(1, X.rows)));
      for (let start = 0; start < queries.rows; start += size) {
        const rows = Math.min(size, queries.rows - start);
        const data = queries.data.subarray(start * X.cols, (start + rows) * X.cols);
        const products = await timesTransposed({ data, rows, cols: X.cols }, X);
        for (let i = 0; i < rows; i++) {
          rankOne(row(queries, start + i), queryLengths[start + i]!, row(products, i));
          indices.set(nearest.indices, (start + i) * k);
          distances.set(nearest.values, (start + i) * k);
        }
      }
      return { k, indices, distances };

      function rankOne(query: Float32Array, length: number, products: Float32Array): void {
        nearest.clear();
        for (let j = 0; j < X.rows; j++) {
          const key = productDistance(metric, products[j]!, length, lengths[j]!);
          keys[j] = key;
          if (key <= nearest.bound()) nearest.offer(key, j);
        }
        // Twice the rounding: once for the k-th kept, once for the row left out.
        const limit = nearest.bound() + 2 * productRounding(metric, X.cols, length, longest);
        nearest.clear();
        for (let j = 0; j < X.rows; j++) {
          if (keys[j]! > limit) continue;
          nearest.offer(distance(metric, query, row(X, j), length, lengths[j]!), j);
        }
      }
    },
  };
}
