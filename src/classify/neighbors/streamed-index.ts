import { blocksOf, type RowSource } from '../../core/row-source.ts';
import { checkPredict } from '../checks.ts';
import { neighborsOf, type Metric, type NeighborIndex } from './neighbor-index.ts';
import { rowSearch } from './row-search.ts';
import { topK } from './top-k.ts';

/**
 * Exact search over rows that are read in blocks: one pass for all queries of a call. `numbers` are what the rows are
 * called in the answers, and what decides between equal distances; by default they count from 0. The answers are to the
 * bit those of exactIndex on the same rows in memory in the order of their numbers. Nothing but the block and k rows a
 * query is kept.
 */
export function streamedIndex(source: RowSource, metric: Metric, numbers?: Int32Array): NeighborIndex {
  return {
    metric,
    rows: source.rows,
    cols: source.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, source.cols);
      const k = Math.min(wanted, source.rows);
      const nearest = Array.from({ length: queries.rows }, () => topK(k));
      if (queries.rows === 0) return neighborsOf(nearest, k);
      for await (const { start, X } of blocksOf(source)) {
        // In float32: what int8 prepares would be a copy of the block, and stay in memory until it is collected.
        const rows = rowSearch(X, metric, { scan: 'float32' });
        await rows.offer(queries, nearest, (j) => numbers?.[start + j] ?? start + j);
      }
      return neighborsOf(nearest, k);
    },
  };
}
