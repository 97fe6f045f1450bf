import type { Matrix } from '../../core/matrix.ts';
import type { TopK } from './top-k.ts';

export const METRICS = ['cosine', 'euclidean'] as const;
/** How far two rows of features are apart. */
export type Metric = (typeof METRICS)[number];

/** k nearest rows of the index for each query, nearest first; ties in the order of the rows. */
export interface Neighbors {
  readonly k: number;
  /** (queries * k) row numbers in the index, row-major. */
  readonly indices: Int32Array;
  /** (queries * k) distances: 1 - cosine, or Euclidean. */
  readonly distances: Float32Array;
}

/** What was kept for each query, as one answer; each must hold its k. */
export function neighborsOf(nearest: readonly TopK[], k: number): Neighbors {
  const indices = new Int32Array(nearest.length * k);
  const distances = new Float32Array(nearest.length * k);
  nearest.forEach((best, q) => {
    indices.set(best.indices, q * k);
    distances.set(best.values, q * k);
  });
  return { k, indices, distances };
}

/** Rows that can be searched, d features each. */
export interface NeighborIndex {
  readonly metric: Metric;
  readonly rows: number;
  readonly cols: number;
  /** The k rows nearest to each query (n, d); k is cut to the number of rows. Throws FIT_INVALID for another width. */
  search(queries: Matrix, k: number): Promise<Neighbors>;
}
