import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkPredict } from '../checks.ts';
import { neighborsOf, type Metric, type NeighborIndex } from './neighbor-index.ts';
import { rowSearch, type ExactOptions } from './row-search.ts';
import { topK } from './top-k.ts';

/**
 * Exact search over rows (n, d), not copied: a float64 brute-force search's answers, equal distances in row order
 * (row-search.ts). Blocks are read once for all queries of a call; a block and k rows a query are kept. `numbers`:
 * names of the rows in the answers, which also break ties; by default from 0. Throws OPTION_INVALID.
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
