import { type Matrix, matrix } from '../../core/matrix.ts';
import type { Neighbors } from '../neighbors/neighbor-index.ts';

export const VOTE_WEIGHTS = ['uniform', 'distance'] as const;
export type VoteWeights = (typeof VOTE_WEIGHTS)[number];

/**
 * Each class' part of the votes (queries, classes), as scikit-learn's KNeighborsClassifier: `uniform` counts each once,
 * `distance` by 1 / distance; neighbours at distance 0 vote alone. `labels`: class indices of the index' rows.
 */
export function voteShares(neighbors: Neighbors, labels: Int32Array, classes: number, weights: VoteWeights): Matrix {
  const { k, indices, distances } = neighbors;
  const queries = k === 0 ? 0 : indices.length / k;
  const out = matrix(queries, classes);
  const votes = new Float64Array(classes);
  for (let i = 0; i < queries; i++) {
    const near = distances.subarray(i * k, (i + 1) * k);
    const touching = near.includes(0);
    votes.fill(0);
    let sum = 0;
    near.forEach((far, j) => {
      const vote = weights === 'uniform' ? 1 : touching ? Number(far === 0) : 1 / far;
      votes[labels[indices[i * k + j]!]!]! += vote;
      sum += vote;
    });
    for (let c = 0; c < classes; c++) out.data[i * classes + c] = votes[c]! / sum;
  }
  return out;
}

/** FittedHead.leastShare of a head with these params: half a vote where rows vote, else undefined. */
export const leastShareOf = ({ nNeighbors }: Readonly<Record<string, unknown>>): number | undefined =>
  typeof nNeighbors === 'number' ? 1 / (2 * nNeighbors) : undefined;
