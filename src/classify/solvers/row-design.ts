import type { Matrix } from '../../core/matrix.ts';
import { matrix } from '../../core/matrix.ts';
import { timesThin } from '../linalg-thin.ts';
import { gramMatrix, transposedTimes } from '../linalg.ts';
import type { Design } from './design.ts';
import { columnSums, dot, shiftRows, weightedRows } from './vectors.ts';

/**
 * The design for more columns than rows. The optimum of an L2-penalised linear model lies in the span of the training rows,
 * W = Xcᵀ·A (the representer theorem: Kimeldorf and Wahba 1971; Schölkopf, Herbrich and Smola 2001). The Gram matrix
 * G = Xc·Xcᵀ is computed once; from then on a product costs n² and no longer n·d. Coefficients are A, so size = n, and the
 * inner product of two weight matrices is Aᵀ·G·B.
 */
export async function rowDesign(X: Matrix): Promise<Design> {
  const n = X.rows;
  const gram = await gramMatrix(X);
  const { means, grand, trace } = centreGram(gram);
  return {
    rows: n,
    size: n,
    meanLength: Math.sqrt(Math.max(0, grand)),
    spread: Math.max(0, trace / n),
    scores: (coef, k, precision) => timesThin(gram, coef, k, precision),
    adjoint: (R) => Promise.resolve(R),
    inner: (a, b) => dot(a.coef, b.scores),
    // No entry is larger than the Euclidean length.
    largest: (a) => Math.sqrt(Math.max(0, dot(a.coef, a.scores))),
    async weights(coef, k) {
      // Xcᵀ·A is Xᵀ times A less its column means, and mean·W the row means of X·Xᵀ times the same.
      const centred = shiftRows(coef.slice(), columnSums(coef, k), -1 / n);
      return {
        weights: await transposedTimes(X, matrix(n, k, new Float32Array(centred))),
        meanScores: weightedRows(means, centred, k),
      };
    },
  };
}

/** Centres X·Xᵀ in place to Xc·Xcᵀ; returns its row means and their mean, and the centred trace. */
function centreGram(gram: Matrix): { means: Float64Array; grand: number; trace: number } {
  const n = gram.rows;
  const means = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < n; j++) means[i]! += gram.data[at++]! / n;
  const grand = means.reduce((sum, value) => sum + value / n, 0);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = gram.data[i * n + j]! - means[i]! - means[j]! + grand;
      gram.data[i * n + j] = value;
      gram.data[j * n + i] = value;
    }
    trace += gram.data[i * n + i]!;
  }
  // Rounding to float32 may leave eigenvalues just below zero where rows depend on each other (duplicates, and the mean itself), and
  // then Aᵀ·G·A is no square of a length. Rounding errors of size e in the entries of X·Xᵀ move eigenvalues by about e·sqrt(n).
  const rounding = 2 ** -23 * Math.sqrt(n) * (trace / n + grand);
  for (let i = 0; i < n; i++) gram.data[i * n + i]! += rounding;
  return { means, grand, trace };
}
