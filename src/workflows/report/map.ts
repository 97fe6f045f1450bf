import { selectRows, type Matrix } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import type { FeatureMap, OrReason } from '../../results/report-data.ts';
import { umap } from '../../classify/neighbors/umap.ts';

/** As in McInnes' own implementation. */
const N_NEIGHBORS = 15;
const LEAST = 5;

/** Which images are on a map. */
export interface MapSample {
  readonly images: readonly number[];
  readonly leftOut: number;
}

/** All of `rows` images, or a seeded sample of `most` of them; a reason where there is to be no map. */
export function mapSample(rows: number, most: number, seed: number): OrReason<MapSample> {
  if (most === 0) return { missing: 'No map was asked for (--map-images 0).' };
  if (Math.min(rows, most) < LEAST) return { missing: `A map needs ${LEAST} images or more.` };
  const all = Array.from({ length: rows }, (_, i) => i);
  if (rows <= most) return { images: all, leftOut: 0 };
  const images = random(seed).shuffle(all).slice(0, most);
  return { images: images.sort((a, b) => a - b), leftOut: rows - most };
}

/** Places the sampled rows of X in the plane. Throws PACKAGE_MISSING, INTERRUPTED. */
export async function featureMap(
  X: Matrix,
  { images, leftOut }: MapSample,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<FeatureMap> {
  const options = { nNeighbors: N_NEIGHBORS, seed, ...(signal && { signal }) };
  return { images, leftOut, seed, ...(await umap(selectRows(X, images), options)) };
}
