import { type Matrix, row, selectRows } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { random } from '../../core/random.ts';
import { checkPredict } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { distance, lengthsOf } from './distance.ts';
import { exactIndex } from './exact.ts';
import { emptyGraph, insertRows, type HnswGraphOptions, type HnswGraph } from './hnsw-graph.ts';
import { neighborsOf, type Metric, type NeighborIndex } from './neighbor-index.ts';
import { recallMeter, recallOnOthers, type Recall, type RecallSample } from './recall.ts';
import { topK } from './top-k.ts';

/** Rows that recall is measured on: at recall 0.95 and k = 5 the standard error is 0.007. */
const MOST_ASKED = 200;

export interface HnswOptions extends HnswGraphOptions {
  /** Candidates kept while searching; at least k are kept. */
  readonly efSearch: number;
}

/**
 * Approximate search of X (n, d) by a graph, or several with some of the rows each. Distances are float64, as by
 * `exactIndex`. A query for which a graph yields too few rows, as among many duplicates, is searched exactly.
 */
export function graphIndex(graphs: readonly HnswGraph[], X: Matrix, metric: Metric, efSearch: number): NeighborIndex {
  const lengths = lengthsOf(X);
  const exact = exactIndex(matrixRows(X), metric);

  /** The candidates of each graph; undefined where one yields too few. */
  function candidates(query: number[], k: number): number[] | undefined {
    const found: number[] = [];
    for (const graph of graphs) {
      const wanted = Math.min(k, graph.getCurrentCount());
      const { neighbors } = graph.searchKnn(query, wanted);
      if (neighbors.length < wanted) return undefined;
      found.push(...neighbors);
    }
    return found;
  }

  return {
    metric,
    rows: X.rows,
    cols: X.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, X.cols);
      const k = Math.min(wanted, X.rows);
      for (const graph of graphs) graph.setEf(Math.max(efSearch, k));
      const queryLengths = lengthsOf(queries);
      const nearest = Array.from({ length: queries.rows }, () => topK(k));
      const left: number[] = [];
      nearest.forEach((best, i) => {
        const query = row(queries, i);
        const found = candidates(Array.from(query), k);
        if (found === undefined) left.push(i);
        for (const j of found ?? []) best.offer(distance(metric, query, row(X, j), queryLengths[i]!, lengths[j]!), j);
      });
      const answer = neighborsOf(nearest, k);
      if (left.length > 0) {
        const searched = await exact.search(selectRows(queries, left), k);
        left.forEach((q, at) => {
          answer.indices.set(searched.indices.subarray(at * k, (at + 1) * k), q * k);
          answer.distances.set(searched.distances.subarray(at * k, (at + 1) * k), q * k);
        });
      }
      return answer;
    },
  };
}

/**
 * `graphIndex` over a graph built in this thread, between event loop turns, and its recall@k on rows that were no part
 * of the graph yet: a fifth of X's rows, 200 at most, are asked for before they are inserted as the last ones. No
 * recall for a single row. Throws PACKAGE_MISSING, INTERRUPTED.
 */
export async function hnswIndex(
  X: Matrix,
  options: HnswOptions,
  k: number,
  context?: FitContext,
): Promise<{ readonly index: NeighborIndex; readonly recall: Recall | undefined }> {
  const graph = await emptyGraph(X.rows, X.cols, options);
  const index = graphIndex([graph], X, options.metric, options.efSearch);
  const order = random(options.seed).shuffle(Array.from({ length: X.rows }, (_, i) => i));
  const asked = X.rows < 2 ? 0 : Math.min(MOST_ASKED, Math.max(1, Math.floor(X.rows / 5)));
  const queries = order.slice(0, asked).sort((a, b) => a - b);
  const others = order.slice(asked).sort((a, b) => a - b);
  await insertRows(graph, X, (i) => i, context, undefined, others);
  const recall = asked === 0 ? undefined : await recallOnOthers(index, X, queries, k);
  await insertRows(graph, X, (i) => i, context, undefined, queries);
  return { index, recall };
}

/** What a search by a graph keeps, and the recall that this was measured to give. */
export interface ChosenEf {
  readonly ef: number;
  readonly recall: number;
  /** Rows that it was measured on. */
  readonly queries: number;
  readonly k: number;
}

/** The smallest of k, 2k, 4k … candidates that reach `recall` of the k nearest on a sample, at most all rows. */
export async function chooseEf(
  graphs: readonly HnswGraph[],
  X: Matrix,
  metric: Metric,
  recall: number,
  wanted: RecallSample,
): Promise<ChosenEf> {
  const meter = await recallMeter(X, metric, wanted);
  for (let ef = wanted.k; ; ef *= 2) {
    const measured = await meter(graphIndex(graphs, X, metric, ef));
    if (measured.recall >= recall || ef >= X.rows) return { ef, ...measured };
  }
}
