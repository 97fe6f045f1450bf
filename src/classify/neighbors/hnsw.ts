import type { Matrix } from '../../core/matrix.ts';
import { row, selectRows } from '../../core/matrix.ts';
import { checkPredict } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { distance, lengthsOf } from './distance.ts';
import { exactIndex } from './exact.ts';
import { buildGraph, type GraphOptions, type HnswGraph } from './hnsw-graph.ts';
import type { Metric, NeighborIndex } from './neighbor-index.ts';
import { recallMeter, type RecallSample } from './recall.ts';
import { topK } from './top-k.ts';

export interface HnswOptions extends GraphOptions {
  /** Candidates kept while searching; at least k are kept. */
  readonly efSearch: number;
}

/**
 * Approximate search over the rows of X (n, d) by their graph. Distances are measured again in float64, as by `exactIndex`. A query
 * for which the graph yields fewer than k rows, as it can among many duplicates, is searched exactly.
 */
export function graphIndex(graph: HnswGraph, X: Matrix, metric: Metric, efSearch: number): NeighborIndex {
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

/** `graphIndex` over a graph built from X. Throws PACKAGE_MISSING, INTERRUPTED. */
export async function hnswIndex(
  X: Matrix,
  options: HnswOptions,
  context?: FitContext,
): Promise<NeighborIndex> {
  return graphIndex(await buildGraph(X, options, context), X, options.metric, options.efSearch);
}

/** What a search by a graph keeps, and the recall that this was measured to give. */
export interface ChosenEf {
  readonly ef: number;
  readonly recall: number;
  /** Rows that it was measured on. */
  readonly queries: number;
  readonly k: number;
}

/**
 * The smallest of k, 2k, 4k … candidates with which a search of the k nearest reaches `recall` on a sample of the rows; with as many as
 * there are rows, whatever it reaches.
 */
export async function chooseEf(
  graph: HnswGraph,
  X: Matrix,
  metric: Metric,
  recall: number,
  wanted: RecallSample,
): Promise<ChosenEf> {
  const meter = await recallMeter(X, metric, wanted);
  for (let ef = wanted.k; ; ef *= 2) {
    const measured = await meter(graphIndex(graph, X, metric, ef));
    if (measured.recall >= recall || ef >= X.rows) return { ef, ...measured };
  }
}
