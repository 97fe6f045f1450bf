import { matrix, row, type Matrix } from '../../../core/matrix.ts';
import { matrixRows } from '../../../core/rows.ts';
import { labelAlignment, type Alignment } from '../../../classify/evaluate/label-alignment.ts';
import { topClass } from '../../../classify/evaluate/metrics.ts';
import { voteShares } from '../../../classify/heads/votes.ts';
import { encodeLabels } from '../../../classify/labels.ts';
import { exactIndex } from '../../../classify/neighbors/exact.ts';
import type { Neighbors } from '../../../classify/neighbors/neighbor-index.ts';
import { unitRows } from '../../../classify/normalize.ts';

/** Neighbours that vote. */
const VOTERS = 5;

/** What features say of images under one contract; no image is judged by itself. */
export interface Scores {
  /** Whether the 5 nearest others vote for an image's class, 1 or 0, shape (n). */
  readonly right: Uint8Array;
  /** How far images of one class lie together and others apart. */
  readonly alignment: Alignment;
  /** How far the network's own likeliest class stands out of each image's, shape (n); undefined where it names none. */
  readonly ownClasses: Float64Array | undefined;
}

/** The neighbours of each row, without the row itself. */
function withoutSelf({ k, indices, distances }: Neighbors): Neighbors {
  const rows = indices.length / k;
  const kept = k - 1;
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

async function votesOf(X: Matrix, classes: Int32Array, count: number): Promise<Uint8Array> {
  const near = withoutSelf(await exactIndex(matrixRows(X), 'cosine').search(X, VOTERS + 1));
  const votes = topClass(voteShares(near, classes, count, 'uniform'));
  return Uint8Array.from(classes, (own, i) => Number(votes[i] === own));
}

/** Probabilities as the logits that they were made of, but for a constant. */
function asLogits(values: Float32Array): Float32Array {
  const sum = values.reduce((a, b) => a + b, 0);
  const areProbabilities = Math.abs(sum - 1) < 1e-3 && values.every((value) => value >= 0);
  return areProbabilities ? values.map((p) => Math.log(Math.max(p, 1e-30))) : values;
}

/**
 * (largest - mean) / standard deviation of each row of logits (n, classes): how far the likeliest class stands out,
 * whatever the logits' scale, which a wrong contract changes too. 0 for rows that are not finite.
 */
export function standingOut(logits: Matrix): Float64Array {
  return Float64Array.from({ length: logits.rows }, (_, i) => {
    const values = asLogits(row(logits, i));
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const out = (values.reduce((a, b) => Math.max(a, b)) - mean) / Math.sqrt(variance);
    return Number.isFinite(out) ? out : 0;
  });
}

/** Values that are not finite, which a wrong contract may give, as 0; rows of length 1. */
function unitFeatures(features: Matrix): Matrix {
  const finite = matrix(features.rows, features.cols);
  finite.data.set(features.data.map((x) => (Number.isFinite(x) ? x : 0)));
  return unitRows(finite);
}

/** Scores features (n, d), and the logits of the network's own classes where it has some, against labels (n). */
export async function scoresOf(
  features: Matrix,
  logits: Matrix | undefined,
  labels: readonly string[],
): Promise<Scores> {
  const X = unitFeatures(features);
  const { classes, indices } = encodeLabels(labels);
  return {
    right: await votesOf(X, indices, classes.length),
    alignment: labelAlignment(X, indices),
    ownClasses: logits && standingOut(logits),
  };
}
