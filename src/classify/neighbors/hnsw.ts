import type * as Hnswlib from 'hnswlib-node';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { row, selectRows } from '../../core/matrix.ts';
import { checkAborted, checkPredict } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { distance, lengthsOf } from './distance.ts';
import { exactIndex } from './exact.ts';
import type { Metric, NeighborIndex } from './neighbor-index.ts';
import { topK } from './top-k.ts';

/** Parameters of the graph, named as in Malkov and Yashunin 2018 (arXiv 1603.09320) and hnswlib. */
export interface HnswOptions {
  readonly metric: Metric;
  /** Links of a row on each layer. */
  readonly M: number;
  /** Candidates kept while a row is inserted. */
  readonly efConstruction: number;
  /** Candidates kept while searching; at least k are kept. */
  readonly efSearch: number;
  readonly seed: number;
}

/** hnswlib-node, loaded on use. Throws PACKAGE_MISSING where it is not installed or was not compiled. */
export async function loadHnsw(): Promise<Pick<typeof Hnswlib, 'HierarchicalNSW'>> {
  try {
    const loaded = await import('hnswlib-node');
    // A CommonJS package: its exports are those of `default`.
    return loaded.default;
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `hnswlib-node does not load: ${reasonOf(cause)}. It is optional and compiled when it is installed, which needs Python and a C++ compiler (Debian: "apt install g++ make python3", macOS: "xcode-select --install"); then run "npm install hnswlib-node". The head "knn" finds exact neighbours without it.`,
      { cause },
    );
  }
}

/** Rows inserted between two looks at the abort signal. */
const TURN = 256;

/**
 * Approximate search over the rows of X (n, d) by a navigable small-world graph (hnswlib, one thread, rows inserted in order: the same
 * X, options and seed give the same graph). Distances are measured again in float64, as by `exactIndex`. A query
 * for which the graph yields fewer than k rows, as it can among many duplicates, is searched exactly.
 * Throws PACKAGE_MISSING, INTERRUPTED.
 */
export async function hnswIndex(
  X: Matrix,
  options: HnswOptions,
  context?: FitContext,
): Promise<NeighborIndex> {
  const { HierarchicalNSW } = await loadHnsw();
  const { metric, M, efConstruction, efSearch, seed } = options;
  const graph = new HierarchicalNSW(metric === 'cosine' ? 'cosine' : 'l2', X.cols);
  graph.initIndex(X.rows, M, efConstruction, seed);
  for (let i = 0; i < X.rows; i++) {
    if (i % TURN === 0) {
      // Inserting blocks the event loop: only a turn of it lets an abort arrive.
      await new Promise((resolve) => setImmediate(resolve));
      checkAborted(context);
    }
    graph.addPoint(Array.from(row(X, i)), i);
  }
  const lengths = lengthsOf(X);
  const exact = exactIndex(X, metric);
  return {
    metric,
    rows: X.rows,
    cols: X.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, X.cols);
      const k = Math.min(wanted, X.rows);
      graph.setEf(Math.max(efSearch, k));
      const indices = new Int32Array(queries.rows * k);
      const distances = new Float32Array(queries.rows * k);
      const queryLengths = lengthsOf(queries);
      const nearest = topK(k);
      for (let i = 0; i < queries.rows; i++) {
        const query = row(queries, i);
        const { neighbors } = graph.searchKnn(Array.from(query), k);
        if (neighbors.length < k) {
          const found = await exact.search(selectRows(queries, [i]), k);
          indices.set(found.indices, i * k);
          distances.set(found.distances, i * k);
          continue;
        }
        nearest.clear();
        for (const j of neighbors) {
          nearest.offer(distance(metric, query, row(X, j), queryLengths[i]!, lengths[j]!), j);
        }
        indices.set(nearest.indices, i * k);
        distances.set(nearest.values, i * k);
      }
      return { k, indices, distances };
    },
  };
}
