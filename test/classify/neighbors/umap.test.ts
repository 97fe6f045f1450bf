import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { umap } from '../../../src/classify/neighbors/umap.ts';
import { rejection } from '../../support/errors.ts';

/** Two bundles of directions, `each` rows in both. */
function bundles(each: number) {
  const generator = random(3);
  const X = matrix(2 * each, 8);
  for (let i = 0; i < X.rows; i++)
    for (let j = 0; j < 8; j++) X.data[i * 8 + j] = generator.normal() * 0.2 + Number(j === (i < each ? 0 : 4)) * 3;
  return X;
}

describe('umap', () => {
  it('keeps neighbours together: each row lies nearest to one of its own bundle', async () => {
    const { x, y, nNeighbors } = await umap(bundles(25), { nNeighbors: 10, seed: 1 });
    expect(nNeighbors).toBe(10);
    const nearest = x.map((_, i) => {
      let [best, least] = [-1, Infinity];
      x.forEach((_unused, j) => {
        const gap = Math.hypot(x[i]! - x[j]!, y[i]! - y[j]!);
        if (j !== i && gap < least) [best, least] = [j, gap];
      });
      return best;
    });
    expect(nearest.every((j, i) => j < 25 === i < 25)).toBe(true);
  });

  it('gives the same places for the same seed, others for another', async () => {
    const X = bundles(10);
    const first = await umap(X, { nNeighbors: 5, seed: 1 });
    expect(await umap(X, { nNeighbors: 5, seed: 1 })).toEqual(first);
    expect(await umap(X, { nNeighbors: 5, seed: 2 })).not.toEqual(first);
  });

  it('refuses too few rows', async () => {
    await rejection(umap(matrix(4, 8), { nNeighbors: 5, seed: 1 }), 'FIT_INVALID');
  });
});
