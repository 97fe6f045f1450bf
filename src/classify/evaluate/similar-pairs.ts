import { row, rowRange, type Matrix } from '../../core/matrix.ts';
import { timesTransposed } from '../linalg/times.ts';

/** Two rows, a < b, and the cosine between them. */
export interface SimilarPair {
  readonly a: number;
  readonly b: number;
  readonly cosine: number;
}

export interface SimilarPairs {
  /** The most similar first; equal ones in the order of their rows. */
  readonly pairs: readonly SimilarPair[];
  /** How many there are, those left out too. */
  readonly total: number;
}

/** Rows of one block of products. */
const BLOCK = 512;

/** The order of pairs: below zero where p comes first. */
export const byCosine = (p: SimilarPair, q: SimilarPair): number => q.cosine - p.cosine || p.a - q.a || p.b - q.b;

/**
 * Pairs of l2-normalised rows of X (n, d) with a cosine of at least `threshold`; the `most` most similar. Float32
 * (error about 1e-6). Memory: 512 x n products and 2 `most` pairs; time: n² d / 2 multiplications.
 */
export async function similarPairs(X: Matrix, threshold: number, most = Infinity): Promise<SimilarPairs> {
  let found: SimilarPair[] = [];
  let total = 0;
  let last: SimilarPair | undefined;
  function offer(pair: SimilarPair): void {
    total++;
    // So many are better already.
    if (last !== undefined && byCosine(last, pair) <= 0) return;
    found.push(pair);
    if (found.length < 2 * most) return;
    found = found.sort(byCosine).slice(0, most);
    last = found.at(-1);
  }
  for (let start = 0; start < X.rows; start += BLOCK) {
    const end = Math.min(X.rows, start + BLOCK);
    const products = await timesTransposed(rowRange(X, start, end), rowRange(X, 0, end));
    for (let i = start; i < end; i++) {
      const cosines = row(products, i - start);
      for (let j = 0; j < i; j++) if (cosines[j]! >= threshold) offer({ a: j, b: i, cosine: Math.min(1, cosines[j]!) });
    }
  }
  return { pairs: found.sort(byCosine).slice(0, most), total };
}
