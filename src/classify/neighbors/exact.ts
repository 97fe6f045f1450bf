import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkPredict } from '../checks.ts';
import { neighborsOf, type Metric, type NeighborIndex } from './neighbor-index.ts';
import { rowSearch, type ExactOptions } from './row-search.ts';
import { topK } from './top-k.ts';

/**
 * Exact search over rows (n, d), which are kept, not copied: the answers and their order are those of a brute-force
 * search in float64, equal distances in the order of the rows (row-search.ts). Rows that are read in blocks are read
 * once for all queries of a call, and nothing but the block and k rows a query is kept. `numbers` are what the rows are
 * called in the answers, and what decides between equal distances; by default they count from 0. Throws OPTION_INVALID.
 */
export function exactIndex(
  rows: Rows,
  metric: Metric,
  { numbers, ...given }: Partial<ExactOptions> & { readonly numbers?: Int32Array } = {},
): NeighborIndex {
  const inMemory = rows.matrix && rowSearch(rows.matrix, metric, given);
  return {
    metric,
    rows: rows.rows,
    cols: rows.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, rows.cols);
      const k = Math.min(wanted, rows.rows);
      const nearest = Array.from({ length: queries.rows }, () => topK(k));
      if (queries.rows === 0) return neighborsOf(nearest, k);
      for await (const { start, X } of blocksOf(rows)) {
        // In float32: what int8 prepares would be a copy of the block, and stay in memory until it is collected.
        const search = inMemory ?? rowSearch(X, metric, { scan: 'float32' });
        await search.offer(queries, nearest, (j) => numbers?.[start + j] ?? start + j);
      }
      return neighborsOf(nearest, k);
    },
  };
}
