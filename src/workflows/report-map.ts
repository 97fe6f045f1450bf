import { selectRows, type Matrix } from '../core/matrix.ts';
import { random } from '../core/random.ts';
import type { FeatureMap, OrReason } from '../core/report-data.ts';
import { umap } from '../classify/umap.ts';

/** As in McInnes' own implementation. */
const N_NEIGHBORS = 15;
const LEAST = 5;

/** A map of the rows of X, or of a seeded sample of `most` of them; a reason where there is none. */
export async function featureMap(X: Matrix, most: number, seed: number): Promise<OrReason<FeatureMap>> {
  if (most === 0) return { missing: 'No map was asked for (--map-images 0).' };
  if (Math.min(X.rows, most) < LEAST) return { missing: `A map needs ${LEAST} images or more.` };
  const rows = Array.from({ length: X.rows }, (_, i) => i);
  const chosen =
    X.rows <= most
      ? rows
      : random(seed)
          .shuffle(rows)
          .slice(0, most)
          .sort((a, b) => a - b);
  const { x, y, nNeighbors } = await umap(selectRows(X, chosen), { nNeighbors: N_NEIGHBORS, seed });
  return { images: chosen, x, y, nNeighbors, seed, leftOut: X.rows - chosen.length };
}
