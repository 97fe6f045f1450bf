import { type Matrix, selectRows } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { random } from '../../core/random.ts';
import { exactIndex } from './exact.ts';
import type { Metric, NeighborIndex, Neighbors } from './neighbor-index.ts';

/** What recall is measured on: the k nearest of `sample` rows drawn with the seed. */
export interface RecallSample {
  readonly k: number;
  readonly sample: number;
  readonly seed: number;
}

export interface Recall {
  readonly recall: number;
  /** Rows that it was measured on. */
  readonly queries: number;
  readonly k: number;
}

/**
 * Measures recall@k of approximate indices over X on a sample of its rows, each without itself. A row as near as the
 * k-th true neighbour counts as found. The truth is searched once. 1 for a single row.
 */
export async function recallMeter(
  X: Matrix,
  metric: Metric,
  { k, sample, seed }: RecallSample,
): Promise<(index: NeighborIndex) => Promise<Recall>> {
  const drawn = random(seed)
    .shuffle(Array.from({ length: X.rows }, (_, i) => i))
    .slice(0, sample);
  const queries = selectRows(X, drawn);
  const among = Math.min(k, X.rows - 1);
  const truth = await exactIndex(matrixRows(X), metric).search(queries, among + 1);
  return async (index) => {
    const found = await index.search(queries, among + 1);
    let hits = 0;
    drawn.forEach((self, i) => {
      const farthest = others(truth, i, self)[among - 1]!;
      hits += others(found, i, self).filter((far) => far <= farthest).length;
    });
    const recall = among === 0 ? 1 : hits / (drawn.length * among);
    return { recall, queries: drawn.length, k: among };
  };
}

/**
 * Recall@k on queries that the index does not hold: the rows `queries` of X, of which it holds all others. A row as
 * near as the k-th true neighbour counts as found. `queries`: ascending row numbers, not all of X's.
 */
export async function recallOnOthers(
  index: NeighborIndex,
  X: Matrix,
  queries: readonly number[],
  k: number,
): Promise<Recall> {
  const among = Math.min(k, X.rows - queries.length);
  const asked = selectRows(X, queries);
  const isQuery = new Set(queries);
  // Among so many nearest rows of all there are `among` that the index holds.
  const all = await exactIndex(matrixRows(X), index.metric).search(asked, among + queries.length);
  const found = await index.search(asked, among);
  let hits = 0;
  for (let q = 0; q < queries.length; q++) {
    const start = q * all.k;
    let left = among;
    let at = start;
    for (; left > 0; at++) if (!isQuery.has(all.indices[at]!)) left--;
    const farthest = all.distances[at - 1]!;
    hits += found.distances.subarray(q * among, (q + 1) * among).filter((far) => far <= farthest).length;
  }
  return { recall: hits / (queries.length * among), queries: queries.length, k: among };
}

/** Recall@k of one index over the rows of X, as by `recallMeter`. */
export async function measureRecall(index: NeighborIndex, X: Matrix, sample: RecallSample): Promise<Recall> {
  return (await recallMeter(X, index.metric, sample))(index);
}

/** Distances of query i's neighbours but `self`, nearest first; one less than was searched for. */
function others({ k, indices, distances }: Neighbors, i: number, self: number): Float32Array {
  return distances
    .subarray(i * k, (i + 1) * k)
    .filter((_, j) => indices[i * k + j] !== self)
    .subarray(0, k - 1);
}
