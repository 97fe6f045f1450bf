import type { Square } from '../linalg/inverse-cholesky.ts';
import type { SquaredDistances } from './squared-distances.ts';

/** exp(-gamma·d²) of all pairs, float64, exactly symmetric; a new matrix of shape (n, n). */
export function kernelMatrix({ n, values }: SquaredDistances, gamma: number): Square {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0, at = i * n; j < i; j++, at++) data[j * n + i] = data[at] = Math.exp(-gamma * values[at]!);
    data[i * n + i] = 1;
  }
  return { data, rows: n, cols: n };
}
