import { type Matrix, matrix } from '../../core/matrix.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import type { Design } from './design.ts';
import { columnSums, dot, shiftRows, weightedRows } from '../linalg/vectors.ts';

/** What designs in the span of n rows share: W = Φcᵀ·A, inner product Aᵀ·G·B; Φ need not be there. */
export function spanOf(
  n: number,
  meanNorm: number,
): Pick<Design, 'rows' | 'size' | 'meanNorm' | 'adjoint' | 'hessian' | 'inner' | 'largest'> {
  return {
    rows: n,
    size: n,
    meanNorm,
    adjoint: (R) => Promise.resolve(R),
    hessian(here) {
      return ({ logits }, shift) => {
        const coef = here.hessian(shiftRows(logits.slice(), shift, 1));
        return Promise.resolve({ coef, sums: columnSums(coef, shift.length) });
      };
    },
    inner: (a, b) => dot(a.coef, b.logits),
    largest: normOf,
  };
}

/** The same with the rows of X and the `means` of its columns (d). */
export function gramSpan(X: Matrix, means: Float64Array): ReturnType<typeof spanOf> & Pick<Design, 'weights'> {
  const n = X.rows;
  return {
    ...spanOf(n, Math.sqrt(dot(means, means))),
    async weights(coef, k) {
      // Xcᵀ·A is Xᵀ times A less its column means.
      const centred = shiftRows(coef.slice(), columnSums(coef, k), -1 / n);
      const weights = matrix(X.cols, k, new Float32Array(await transposedTimesThin(X, centred, k, 'float32')));
      return { weights, meanLogits: weightedRows(means, new Float64Array(weights.data), k) };
    },
  };
}

/** The Euclidean norm of weights, over all columns of logits: none of them is larger. */
export const normOf: (a: Parameters<Design['inner']>[1]) => number = ({ coef, logits }) =>
  Math.sqrt(Math.max(0, dot(coef, logits)));

/** The mean of the diagonal of a Gram matrix (n, n): the rows' mean squared norm. */
export function meanDiagonal(data: Float32Array | Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += data[i * n + i]!;
  return sum / n;
}
