import type { Matrix } from '../../core/matrix.ts';
import { selectRows } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import { exactIndex } from './exact.ts';
import type { NeighborIndex, Neighbors } from './neighbor-index.ts';

/**
 * Recall@k of an approximate index over the rows of X: the share of true neighbours that it finds, for `sample` of the rows
 * drawn with the seed, each without itself. A row as near as the k-th true neighbour counts as found.
 */
export async function measureRecall(
  index: NeighborIndex,
  X: Matrix,
  k: number,
  { sample, seed }: { readonly sample: number; readonly seed: number },
): Promise<{ readonly recall: number; readonly queries: number; readonly k: number }> {
  const drawn = random(seed)
    .shuffle(Array.from({ length: X.rows }, (_, i) => i))
    .slice(0, sample);
  const queries = selectRows(X, drawn);
  const among = Math.min(k, X.rows - 1);
  const truth = await exactIndex(X, index.metric).search(queries, among + 1);
  const found = await index.search(queries, among + 1);
  let hits = 0;
  drawn.forEach((self, i) => {
    const farthest = others(truth, i, self)[among - 1]!;
    hits += others(found, i, self).filter((far) => far <= farthest).length;
  });
  return { recall: hits / (drawn.length * among), queries: drawn.length, k: among };
}

/** Distances of query i's neighbours but `self`, nearest first; one less than was searched for. */
function others({ k, indices, distances }: Neighbors, i: number, self: number): Float32Array {
  return distances
    .subarray(i * k, (i + 1) * k)
    .filter((_, j) => indices[i * k + j] !== self)
    .subarray(0, k - 1);
}
