import { row, type Matrix } from '../../core/matrix.ts';
import type { HnswGraph } from './hnsw-graph.ts';

/** What graphs give for queries: rows among which the nearest are looked for. */
export interface GraphCandidates {
  /** The rows of query q are rows[q * each] to rows[(q + 1) * each - 1]. */
  readonly rows: Int32Array;
  readonly each: number;
  /** Queries for which a graph yields too few, as among many duplicates: their rows say nothing. */
  readonly short: readonly number[];
}

/** Graphs that share the rows of an index, here or in threads. */
export interface GraphSearcher {
  /** The k nearest of each graph to each query (n, d), `ef` candidates kept while searching. */
  candidates(queries: Matrix, k: number, ef: number): Promise<GraphCandidates>;
}

/** The candidates of graphs that this thread holds. */
export function candidatesOf(graphs: readonly HnswGraph[], queries: Matrix, k: number, ef: number): GraphCandidates {
  const wanted = graphs.map((graph) => Math.min(k, graph.getCurrentCount()));
  const each = wanted.reduce((sum, count) => sum + count, 0);
  const rows = new Int32Array(queries.rows * each);
  const short: number[] = [];
  for (const graph of graphs) graph.setEf(Math.max(ef, k));
  for (let q = 0; q < queries.rows; q++) {
    const query = Array.from(row(queries, q));
    let at = q * each;
    for (const [g, graph] of graphs.entries()) {
      const { neighbors } = graph.searchKnn(query, wanted[g]!);
      if (neighbors.length < wanted[g]!) {
        short.push(q);
        break;
      }
      rows.set(neighbors, at);
      at += neighbors.length;
    }
  }
  return { rows, each, short };
}

/** A search by graphs in this thread, which it holds up. */
export const graphsHere = (graphs: readonly HnswGraph[]): GraphSearcher => ({
  candidates: (queries, k, ef) => Promise.resolve(candidatesOf(graphs, queries, k, ef)),
});
