import { row, type Matrix } from '../core/matrix.ts';
import { timesTransposed } from './linalg.ts';

/** Two rows, a < b, and the cosine between them. */
export interface SimilarPair {
  readonly a: number;
  readonly b: number;
  readonly cosine: number;
}

/** Rows of one block of products. */
const BLOCK = 512;

/**
 * All pairs of rows of X (n, d) whose cosine is at least `threshold`, the most similar first. X has rows of length 1 or 0 (l2-normalised).
 * Products are float32 (error about 1e-6). Memory: one block of 512 x n products; time: n² d / 2 multiplications.
 */
export async function similarPairs(X: Matrix, threshold: number): Promise<SimilarPair[]> {
  const found: SimilarPair[] = [];
  for (let start = 0; start < X.rows; start += BLOCK) {
    const end = Math.min(X.rows, start + BLOCK);
    const block = (from: number, to: number): Matrix => ({
      data: X.data.subarray(from * X.cols, to * X.cols),
      rows: to - from,
      cols: X.cols,
    });
    const products = await timesTransposed(block(start, end), block(0, end));
    for (let i = start; i < end; i++) {
      const cosines = row(products, i - start);
      for (let j = 0; j < i; j++)
        if (cosines[j]! >= threshold) found.push({ a: j, b: i, cosine: Math.min(1, cosines[j]!) });
    }
  }
  return found.sort((p, q) => q.cosine - p.cosine || p.a - q.a || p.b - q.b);
}
