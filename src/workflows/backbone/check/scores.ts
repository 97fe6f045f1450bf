import { matrix, type Matrix } from '../../../core/matrix.ts';
import { matrixRows } from '../../../core/rows.ts';
import { topClass } from '../../../classify/evaluate/metrics.ts';
import { voteShares } from '../../../classify/heads/votes.ts';
import { encodeLabels } from '../../../classify/labels.ts';
import { exactIndex } from '../../../classify/neighbors/exact.ts';
import type { Neighbors } from '../../../classify/neighbors/neighbor-index.ts';
import { unitRows } from '../../../classify/normalize.ts';

/** Neighbours that vote. */
const VOTERS = 5;

/** Softness of the weights that are tried, in cosine; the best of them counts. */
const TEMPERATURES = Array.from({ length: 17 }, (_, i) => 0.005 * 10 ** (i / 8));

/** Every class keeps so much of the probability: one odd image does not decide. */
const FLOOR = 0.01;

/** How well features tell classes, image by image; none is judged by itself. */
export interface Scores {
  /** Whether the 5 nearest others vote for an image's class, 1 or 0, shape (n). */
  readonly right: Uint8Array;
  /** Log loss of each image, shape (n): see softLosses. */
  readonly losses: Float64Array;
}

/** The neighbours of each row without the row itself, at most `k`. */
function others({ k, indices, distances }: Neighbors, most: number): Neighbors {
  const rows = indices.length / k;
  const kept = Math.min(most, k - 1);
  const out = { k: kept, indices: new Int32Array(rows * kept), distances: new Float32Array(rows * kept) };
  for (let i = 0; i < rows; i++) {
    let at = i * kept;
    for (let j = i * k; j < (i + 1) * k && at < (i + 1) * kept; j++) {
      if (indices[j] === i) continue;
      out.indices[at] = indices[j]!;
      out.distances[at++] = distances[j]!;
    }
  }
  return out;
}

/** Log losses of all rows at one temperature; see softLosses. */
function lossesAt({ k, indices, distances }: Neighbors, labels: Int32Array, classes: number, t: number): Float64Array {
  return Float64Array.from(labels, (own, i) => {
    const nearest = distances[i * k]!;
    let [sum, mine] = [0, 0];
    for (let j = i * k; j < (i + 1) * k; j++) {
      const weight = Math.exp((nearest - distances[j]!) / t);
      sum += weight;
      if (labels[indices[j]!] === own) mine += weight;
    }
    return -Math.log(FLOOR / classes + (1 - FLOOR) * (mine / sum));
  });
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * -ln of the probability of each row's class where every other row votes with the weight exp(cosine / t): the loss of
 * neighbourhood components analysis (Goldberger, Roweis, Hinton and Salakhutdinov 2005), of features as they are. `t` is
 * the one of 17 from 0.005 to 0.5 with the least mean loss, so that no contract suffers from features that lie closer.
 */
function softLosses(neighbors: Neighbors, labels: Int32Array, classes: number): Float64Array {
  const tried = TEMPERATURES.map((t) => lossesAt(neighbors, labels, classes, t));
  return tried.reduce((best, losses) => (mean(losses) < mean(best) ? losses : best));
}

/** Scores features (n, d) against labels by leaving one out. Values that are not finite count as 0. */
export async function scoresOf(features: Matrix, labels: readonly string[]): Promise<Scores> {
  const finite = matrix(features.rows, features.cols);
  finite.data.set(features.data.map((x) => (Number.isFinite(x) ? x : 0)));
  const X = unitRows(finite);
  const { classes, indices } = encodeLabels(labels);
  const all = others(await exactIndex(matrixRows(X), 'cosine').search(X, X.rows), X.rows);
  const near = others(await exactIndex(matrixRows(X), 'cosine').search(X, VOTERS + 1), VOTERS);
  const votes = topClass(voteShares(near, indices, classes.length, 'uniform'));
  return {
    right: Uint8Array.from(indices, (own, i) => Number(votes[i] === own)),
    losses: softLosses(all, indices, classes.length),
  };
}
