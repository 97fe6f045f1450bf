import { PermafrostError, reasonOf } from '../core/errors.ts';
import type { Matrix } from '../core/matrix.ts';
import { row } from '../core/matrix.ts';
import { random } from '../core/random.ts';
import { exactIndex } from './neighbors/exact.ts';

export interface UmapOptions {
  /** Neighbours of a row, itself among them; fewer where there are fewer rows. */
  readonly nNeighbors: number;
  readonly seed: number;
}

/**
 * Places the rows of X (n, d) in the plane by UMAP (McInnes, Healy and Melville 2018, arXiv 1802.03426) under the cosine distance. The
 * neighbours are exact, found by Gemm, and handed to umap-js; the same seed gives the same places. Returns (n) x and y. Needs 5 rows: throws
 * FIT_INVALID with fewer, PACKAGE_MISSING where umap-js does not load.
 */
export async function umap(
  X: Matrix,
  { nNeighbors, seed }: UmapOptions,
): Promise<{ x: number[]; y: number[]; nNeighbors: number }> {
  if (X.rows < 5) throw new PermafrostError('FIT_INVALID', `A map needs 5 rows or more, got ${X.rows}.`);
  const { UMAP } = await import('umap-js').catch((cause: unknown) => {
    throw new PermafrostError('PACKAGE_MISSING', `umap-js does not load: ${reasonOf(cause)} Run "npm ci".`, {
      cause,
    });
  });
  const { k, indices, distances } = await exactIndex(X, 'cosine').search(X, Math.min(nNeighbors, X.rows - 1));
  const lists = <T extends Int32Array | Float32Array>(values: T): number[][] =>
    Array.from({ length: X.rows }, (_, i) => [...values.subarray(i * k, (i + 1) * k)]);
  const generator = random(seed);
  const method = new UMAP({ nComponents: 2, nNeighbors: k, random: () => generator.uniform() });
  method.setPrecomputedKNN(lists(indices), lists(distances));
  // With the neighbours given, umap-js reads of the rows only how many there are.
  const places = method.fit(Array.from({ length: X.rows }, (_, i) => [...row(X, i).subarray(0, 1)]));
  return { x: places.map(([x]) => x!), y: places.map(([, y]) => y!), nNeighbors: k };
}
