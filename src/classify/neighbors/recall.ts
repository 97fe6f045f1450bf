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

/** What an index finds of the true neighbours of queries that are always the same. */
export type RecallMeter = (index: NeighborIndex) => Promise<Recall>;

/**
 * Measures recall@k of approximate indices over X on a sample of its rows, each without itself. A row as near as the
 * k-th true neighbour counts as found. The truth is searched once. 1 for a single row.
 */
export async function recallMeter(X: Matrix, metric: Metric, { k, sample, seed }: RecallSample): Promise<RecallMeter> {
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
 * Measures recall@k on queries that the index does not hold: the rows `queries` of X, of which it holds all others. A
 * row as near as the k-th true neighbour counts as found. The truth is searched once. `queries`: ascending row numbers,
 * not all of X's; 1 without any.
 */
export async function othersMeter(
  X: Matrix,
  metric: Metric,
  queries: readonly number[],
  k: number,
): Promise<RecallMeter> {
  const among = Math.min(k, X.rows - queries.length);
  const asked = selectRows(X, queries);
  const isQuery = new Set(queries);
  // Among so many nearest rows of all there are `among` that the index holds.
  const all = await exactIndex(matrixRows(X), metric).search(asked, among + queries.length);
  const farthest = queries.map((_, q) => {
    let at = q * all.k;
    for (let left = among; left > 0; at++) if (!isQuery.has(all.indices[at]!)) left--;
    return all.distances[at - 1]!;
  });
  return async (index) => {
    const found = await index.search(asked, among);
    const hits = farthest.map(
      (most, q) => found.distances.subarray(q * among, (q + 1) * among).filter((far) => far <= most).length,
    );
    const recall = queries.length === 0 ? 1 : hits.reduce((sum, count) => sum + count, 0) / (queries.length * among);
    return { recall, queries: queries.length, k: among };
  };
}

/** Recall@k of one index that holds all rows of X but `queries`, as by `othersMeter`. */
export async function recallOnOthers(
  index: NeighborIndex,
  X: Matrix,
  queries: readonly number[],
  k: number,
): Promise<Recall> {
  return (await othersMeter(X, index.metric, queries, k))(index);
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
