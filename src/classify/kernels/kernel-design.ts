import { matrix } from '../../core/matrix.ts';
import { columnSums, shiftRows, weightedRows } from '../linalg/vectors.ts';
import type { Design } from '../solvers/design.ts';
import { gramBytes, gramProducts } from '../solvers/gram-design.ts';
import { spanOf } from '../solvers/gram-span.ts';
import { kernelMatrix } from './kernel-matrix.ts';
import type { SquaredDistances } from './squared-distances.ts';

/** Bytes of a design of so many rows: its matrix in two precisions. */
export const kernelDesignBytes = gramBytes;

/**
 * The design of a linear head on the kernel's own features: its Gram matrix is exp(-gamma·d²), centred (Schölkopf,
 * Smola and Müller 1998, appendix), as a free intercept allows. Coefficients, folds and penalties as in `gramDesign`;
 * `weights` are coefficients of the rows (n, k): f(x) = Σ exp(-gamma·|x - xᵢ|²)·weightsᵢ + intercept.
 */
export function kernelDesign(distances: SquaredDistances, gamma: number): Design {
  const n = distances.rows;
  const gram = kernelMatrix(distances, gamma);
  const means = centre(gram.data, n);
  const whole = means.reduce((sum, value) => sum + value, 0) / n;
  return {
    ...spanOf(n, Math.sqrt(whole)),
    ...gramProducts(gram),
    weights(coef, k) {
      const centred = shiftRows(coef.slice(), columnSums(coef, k), -1 / n);
      const weights = matrix(n, k, new Float32Array(centred));
      return Promise.resolve({ weights, meanLogits: weightedRows(means, new Float64Array(weights.data), k) });
    },
  };
}

/** A symmetric matrix less the means of its rows and columns, in place; returns those means (n). */
function centre(data: Float64Array, n: number): Float64Array {
  const means = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += data[at++]!;
    means[i] = sum / n;
  }
  const whole = means.reduce((sum, value) => sum + value, 0) / n;
  for (let i = 0; i < n; i++) {
    for (let j = 0, at = i * n; j <= i; j++, at++) {
      const value = data[at]! - means[i]! - means[j]! + whole;
      data[at] = value;
      data[j * n + i] = value;
    }
  }
  return means;
}
