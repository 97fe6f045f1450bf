import { row, rowRange, type Matrix } from '../../core/matrix.ts';
import { timesTransposed } from '../linalg/times.ts';
import { bestPairs, type BestPairs, type Pair } from './best-pairs.ts';

/** Two rows and the cosine between them. */
export interface SimilarPair extends Pair {
  readonly cosine: number;
}

/** Rows of one block of products. */
const BLOCK = 512;

/** The order of pairs: below zero where p comes first. */
export const byCosine = (p: SimilarPair, q: SimilarPair): number => q.cosine - p.cosine || p.a - q.a || p.b - q.b;

/**
 * Pairs of l2-normalised rows of X (n, d) with a cosine of at least `threshold`; the `most` most similar. Float32
 * (error about 1e-6). Memory: 512 x n products and 2 `most` pairs; time: n² d / 2 multiplications.
 */
export async function similarPairs(X: Matrix, threshold: number, most = Infinity): Promise<BestPairs<SimilarPair>> {
  const found = bestPairs(byCosine, most);
  for (let start = 0; start < X.rows; start += BLOCK) {
    const end = Math.min(X.rows, start + BLOCK);
    const products = await timesTransposed(rowRange(X, start, end), rowRange(X, 0, end));
    for (let i = start; i < end; i++) {
      const cosines = row(products, i - start);
      for (let j = 0; j < i; j++)
        if (cosines[j]! >= threshold) found.offer({ a: j, b: i, cosine: Math.min(1, cosines[j]!) });
    }
  }
  return found.best();
}
