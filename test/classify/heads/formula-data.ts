import { matrix, type Matrix } from '../../../src/core/matrix.ts';

/**
 * Features that Python can make again, to compare with scikit-learn:
 *
 *     def data(n, d, k):
 *         i = np.arange(n)[:, None]; j = np.arange(d)[None, :]
 *         X = ((i*7919 + j*104729 + i*j*31) % 1009) / 1009 + 0.3 * ((i + j) % k == 0)
 *         return X.astype(np.float32).astype(np.float64), np.arange(n) % k
 */
export function formulaFeatures(n: number, d: number, k: number): Matrix {
  const value = (i: number, j: number): number =>
    ((i * 7919 + j * 104729 + i * j * 31) % 1009) / 1009 + ((i + j) % k === 0 ? 0.3 : 0);
  return matrix(
    n,
    d,
    Float32Array.from({ length: n * d }, (_, at) => value(Math.floor(at / d), at % d)),
  );
}

/** Class names "0", "1" ... in turn. */
export function formulaLabels(n: number, k: number): string[] {
  return Array.from({ length: n }, (_, i) => String(i % k));
}
