import type { Matrix } from '../../core/matrix.ts';
import { checkPredict } from '../checks.ts';
import { neighborsOf, type Metric, type NeighborIndex } from './neighbor-index.ts';
import { rowSearch, type ExactOptions } from './row-search.ts';
import { topK } from './top-k.ts';

/**
 * Exact search over the rows of X (n, d), which is kept, not copied: the answers and their order are those of a
 * brute-force search in float64, equal distances in the order of the rows (row-search.ts). Throws OPTION_INVALID.
 */
export function exactIndex(X: Matrix, metric: Metric, given: Partial<ExactOptions> = {}): NeighborIndex {
  const rows = rowSearch(X, metric, given);
  return {
    metric,
    rows: X.rows,
    cols: X.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, X.cols);
      const k = Math.min(wanted, X.rows);
      const nearest = Array.from({ length: queries.rows }, () => topK(k));
      await rows.offer(queries, nearest);
      return neighborsOf(nearest, k);
    },
  };
}
