import { describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { timesSymmetric, valueAt, wholeOf } from '../../../src/classify/linalg/symmetric-panels.ts';
import { panelsOf } from '../../support/symmetric-panels.ts';

/** Numbers that are exact in float32. */
function symmetric(n: number) {
  const source = random(n);
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) data[i * n + j] = data[j * n + i] = Math.round(1000 * source.normal()) / 1024;
  return { data, rows: n, cols: n };
}

describe('a symmetric matrix in panels', () => {
  // Of 2,600 rows a panel is more than one run.
  it.each([1, 2, 255, 256, 257, 700, 2600])('of %d rows multiplies in float64', async (n) => {
    const A = symmetric(n);
    const k = 2;
    const source = random(7);
    const V = Float64Array.from({ length: n * k }, () => source.normal());
    const found = await timesSymmetric(panelsOf(A), V, k);
    let most = 0;
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < k; c++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += A.data[i * n + j]! * V[j * k + c]!;
        most = Math.max(most, Math.abs(found[i * k + c]! - sum));
      }
    }
    expect(most).toBeLessThan(1e-12 * n);
  });

  it('is what it was cut from', () => {
    const A = symmetric(300);
    const panels = panelsOf(A);
    expect(wholeOf(panels)).toEqual(A);
    for (const [i, j] of [
      [0, 0],
      [0, 299],
      [299, 0],
      [255, 256],
      [256, 255],
    ] as const)
      expect(valueAt(panels, i, j)).toBe(A.data[i * 300 + j]);
  });
});
