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

/** What a network that names classes of its own says of images. */
export interface OwnClasses {
  /** How far the likeliest class stands out, shape (n): see standingOut. */
  readonly standingOut: Float64Array;
  /** How far its classes tell those of the images: see ownAgreement. */
  readonly agreement: number;
}

/** What features say of images under one contract; no image is judged by itself. */
export interface Scores {
  /** Whether the 5 nearest others vote for an image's class, 1 or 0, shape (n). */
  readonly right: Uint8Array;
  /** How far images of one class lie together and others apart. */
  readonly alignment: Alignment;
  /** What the network's own classes say; undefined where it names none. */
  readonly own: OwnClasses | undefined;
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

/**
 * How well the network's likeliest class of an image, by logits (n, classes), tells its label, from 0 (as chance) to 1:
 * each image gets the label of most others with the same likeliest class, by chance where there is none.
 */
export function ownAgreement(logits: Matrix, labels: Int32Array, count: number): number {
  const tops = topClass(logits);
  let right = 0;
  tops.forEach((top, i) => {
    const votes = new Int32Array(count);
    tops.forEach((other, j) => {
      if (other === top && j !== i) votes[labels[j]!]!++;
    });
    const most = Math.max(...votes);
    right += most === 0 ? 1 / count : Number(votes.indexOf(most) === labels[i]);
  });
  return (right / labels.length - 1 / count) / (1 - 1 / count);
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
    own: logits && {
      standingOut: standingOut(logits),
      agreement: ownAgreement(logits, indices, classes.length),
    },
  };
}
