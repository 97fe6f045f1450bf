import { blocksOf, type RowSource } from '../../core/row-source.ts';
import { checkPredict } from '../checks.ts';
import { exactIndex } from '../neighbors/exact.ts';
import type { Metric, NeighborIndex } from '../neighbors/neighbor-index.ts';
import { topK } from '../neighbors/top-k.ts';

/**
 * Exact search over rows that are read in blocks: one pass for all queries of a call. The distances are those of exactIndex on the
 * same rows in memory; rows whose distances are equal in float32 come in their order.
 */
export function streamedIndex(source: RowSource, metric: Metric): NeighborIndex {
  return {
    metric,
    rows: source.rows,
    cols: source.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, source.cols);
      const k = Math.min(wanted, source.rows);
      const nearest = Array.from({ length: queries.rows }, () => topK(k));
      for await (const { start, X } of blocksOf(source)) {
        const found = await exactIndex(X, metric).search(queries, k);
        nearest.forEach((best, q) => {
          for (let at = q * found.k; at < (q + 1) * found.k; at++)
            best.offer(found.distances[at]!, start + found.indices[at]!);
        });
      }
      const indices = new Int32Array(queries.rows * k);
      const distances = new Float32Array(queries.rows * k);
      nearest.forEach((best, q) => {
        indices.set(best.indices, q * k);
        distances.set(best.values, q * k);
      });
      return { k, indices, distances };
    },
  };
}
