import { type Matrix, row, selectRows } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { random } from '../../core/random.ts';
import { checkPredict } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { distance, lengthsOf } from './distance.ts';
import { exactIndex } from './exact.ts';
import { graphsHere, type GraphSearcher } from './graph-candidates.ts';
import { emptyGraph, insertRows, type HnswGraphOptions } from './hnsw-graph.ts';
import { neighborsOf, type Metric, type NeighborIndex } from './neighbor-index.ts';
import { recallOnOthers, type Recall, type RecallMeter } from './recall.ts';
import { rowSearch } from './row-search.ts';
import { topK } from './top-k.ts';

/** Rows that recall is measured on: at recall 0.95 and k = 5 the standard error is 0.007. */
const MOST_ASKED = 200;

export interface HnswOptions extends HnswGraphOptions {
  /** Candidates kept while searching; at least k are kept. */
  readonly efSearch: number;
}

/**
 * Approximate search of X (n, d) by graphs that share its rows, and by comparing each query with the rows `apart`,
 * which no graph holds. Distances are float64, as by `exactIndex`. A query for which a graph yields too few rows, as
 * among many duplicates, is searched exactly.
 */
export function graphIndex(
  graphs: GraphSearcher,
  X: Matrix,
  metric: Metric,
  efSearch: number,
  apart: readonly number[] = [],
): NeighborIndex {
  const lengths = lengthsOf(X);
  const exact = exactIndex(matrixRows(X), metric);
  const others = apart.length === 0 ? undefined : rowSearch(selectRows(X, apart), metric, { scan: 'float32' });

  return {
    metric,
    rows: X.rows,
    cols: X.cols,
    async search(queries, wanted) {
      checkPredict('The neighbour index', queries, X.cols);
      const k = Math.min(wanted, X.rows);
      if (queries.rows === 0) return neighborsOf([], k);
      const { rows, each, short } = await graphs.candidates(queries, k, Math.max(efSearch, k));
      const queryLengths = lengthsOf(queries);
      const nearest = Array.from({ length: queries.rows }, () => topK(k));
      const isShort = new Set(short);
      nearest.forEach((best, i) => {
        if (isShort.has(i)) return;
        const query = row(queries, i);
        for (let at = i * each; at < (i + 1) * each; at++) {
          const j = rows[at]!;
          best.offer(distance(metric, query, row(X, j), queryLengths[i]!, lengths[j]!), j);
        }
      });
      await others?.offer(queries, nearest, (j) => apart[j]!);
      const answer = neighborsOf(nearest, k);
      if (short.length > 0) {
        const searched = await exact.search(selectRows(queries, short), k);
        short.forEach((q, at) => {
          answer.indices.set(searched.indices.subarray(at * k, (at + 1) * k), q * k);
          answer.distances.set(searched.distances.subarray(at * k, (at + 1) * k), q * k);
        });
      }
      return answer;
    },
  };
}

/** Rows drawn with the seed that recall is measured on: a fifth of all, MOST_ASKED at most, ascending. None of one. */
export function rowsApart(rows: number, seed: number): number[] {
  const count = rows < 2 ? 0 : Math.min(MOST_ASKED, Math.max(1, Math.floor(rows / 5)));
  const order = random(seed).shuffle(Array.from({ length: rows }, (_, i) => i));
  return order.slice(0, count).sort((a, b) => a - b);
}

/** The rows that are not among `some`, ascending. */
export function rowsWithout(rows: number, some: readonly number[]): number[] {
  const left = new Set(some);
  return Array.from({ length: rows }, (_, i) => i).filter((i) => !left.has(i));
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
  const index = graphIndex(graphsHere([graph]), X, options.metric, options.efSearch);
  const queries = rowsApart(X.rows, options.seed);
  await insertRows(graph, X, (i) => i, context, undefined, rowsWithout(X.rows, queries));
  const recall = queries.length === 0 ? undefined : await recallOnOthers(index, X, queries, k);
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

/** The smallest of k, 2k, 4k … candidates that reach `recall` as `meter` measures it, at most all rows. */
export async function chooseEf(
  graphs: GraphSearcher,
  X: Matrix,
  metric: Metric,
  { recall, k }: { readonly recall: number; readonly k: number },
  meter: RecallMeter,
): Promise<ChosenEf> {
  for (let ef = k; ; ef *= 2) {
    const measured = await meter(graphIndex(graphs, X, metric, ef));
    if (measured.recall >= recall || ef >= X.rows) return { ef, ...measured };
  }
}
