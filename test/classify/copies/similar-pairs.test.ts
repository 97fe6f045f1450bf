import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matrix, row, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { unitRows } from '../../../src/classify/normalize.ts';
import { similarPairs } from '../../../src/classify/copies/similar-pairs.ts';

/** Unit rows in few dimensions, so that many are similar. */
function directions(rows: number, cols: number, seed: number): Matrix {
  const generator = random(seed);
  const X = matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => generator.normal()),
  );
  return unitRows(X);
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

describe('similar pairs', () => {
  it('are those of a comparison of every row with every other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 0, max: 1000 }),
        async (rows, cols, seed) => {
          const X = directions(rows, cols, seed);
          const threshold = 0.8;
          const { pairs: found, total } = await similarPairs(X, threshold);
          expect(total).toBe(found.length);
          const names = new Set(found.map(({ a, b }) => `${a} ${b}`));
          expect(names.size).toBe(found.length);
          for (let a = 0; a < rows; a++) {
            for (let b = a + 1; b < rows; b++) {
              const cosine = dot(row(X, a), row(X, b));
              if (Math.abs(cosine - threshold) > 1e-5) expect(names.has(`${a} ${b}`)).toBe(cosine >= threshold);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are found across blocks of rows, the most similar first', async () => {
    const X = directions(1300, 64, 3);
    for (const [from, to] of [
      [2, 1299],
      [600, 700],
    ] as const)
      row(X, to).set(row(X, from));
    row(X, 1000).set(row(X, 10));
    X.data[1000 * 64]! += 0.05;
    const { pairs: found } = await similarPairs(X, 0.99);
    expect(found.map(({ a, b }) => [a, b])).toEqual([
      [2, 1299],
      [600, 700],
      [10, 1000],
    ]);
    expect(found[0]!.cosine).toBeCloseTo(1, 5);
    expect(found[2]!.cosine).toBeLessThan(1);
  });
});
