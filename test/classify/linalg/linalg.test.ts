import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Matrix, matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { timesThin, transposedTimesThin } from '../../../src/classify/linalg/thin.ts';
import { times, timesTransposed, transposedTimes } from '../../../src/classify/linalg/times.ts';

const drawn = (rows: number, cols: number, seed: number): Matrix => {
  const source = random(seed);
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => source.normal()),
  );
};
const flip = (m: Matrix): Matrix =>
  matrix(
    m.cols,
    m.rows,
    Float32Array.from(m.data, (_, at) => m.data[(at % m.rows) * m.cols + Math.floor(at / m.rows)]!),
  );

function plain(X: { rows: number; cols: number; data: ArrayLike<number> }, Y: ArrayLike<number>, m: number) {
  const out = new Float64Array(X.rows * m);
  for (let i = 0; i < X.rows; i++)
    for (let j = 0; j < m; j++)
      for (let p = 0; p < X.cols; p++) out[i * m + j]! += X.data[i * X.cols + p]! * Y[p * m + j]!;
  return out;
}

const shape = fc.record({
  n: fc.integer({ min: 0, max: 30 }),
  p: fc.integer({ min: 0, max: 30 }),
  m: fc.integer({ min: 0, max: 9 }),
  seed: fc.integer(),
});

describe('matrix products', () => {
  it('are those of plain loops, for every shape', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ n, p, m, seed }) => {
        const [X, Y] = [drawn(n, p, seed), drawn(p, m, seed + 1)];
        const expected = plain(X, Y.data, m);
        for (const Z of [await times(X, Y), await timesTransposed(X, flip(Y)), await transposedTimes(flip(X), Y)]) {
          expect([Z.rows, Z.cols]).toEqual([n, m]);
          Z.data.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, 4));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('read a view of a larger array in place', async () => {
    const data = Float32Array.of(9, 9, 1, 2, 3, 4, 9);
    const Z = await times({ data: data.subarray(2, 6), rows: 2, cols: 2 }, matrix(2, 1, Float32Array.of(1, 10)));
    expect([...Z.data]).toEqual([21, 43]);
  });

  it('reject shapes that do not fit', async () => {
    await expect(times(matrix(2, 3), matrix(2, 3))).rejects.toThrow(/2 x 3 and 2 x 3 have no product here: 3 and 2/);
  });
});

describe('thin products in float64', () => {
  it('hold 50 bits where float32 holds 24', async () => {
    const [n, p, k] = [40, 300, 3];
    const X = drawn(n, p, 1);
    const V = Float64Array.from({ length: p * k }, (_, at) => Math.sin(at) * 1e3);
    const expected = plain(X, V, k);
    const exact = await timesThin(X, V, k, 'float64');
    const rough = await timesThin(X, V, k, 'float32');
    const error = (Z: Float64Array) => Math.max(...Z.map((value, at) => Math.abs(value - expected[at]!))) / 1e3;
    expect(error(exact)).toBeLessThan(300 * 2 ** -50);
    expect(error(rough)).toBeGreaterThan(error(exact) * 1000);

    const R = Float64Array.from({ length: n * k }, (_, at) => Math.cos(at) * 1e3);
    const back = await transposedTimesThin(X, R, k, 'float64');
    const expectedBack = plain(flip(X), R, k);
    back.forEach((value, at) => expect(Math.abs(value - expectedBack[at]!) / 1e3).toBeLessThan(40 * 2 ** -50));
  });

  it('are the same in several blocks of rows', async () => {
    // Two rows fill a block of 2^23 values.
    const half = 2 ** 22;
    const X = matrix(3, half);
    X.data.fill(1);
    X.data[2 * half] = 5;
    const ones = new Float64Array(half).fill(1);
    expect([...(await timesThin(X, ones, 1, 'float64'))]).toEqual([half, half, half + 4]);
    const sums = await transposedTimesThin(X, Float64Array.of(1, 2, 3), 1, 'float64');
    expect([...sums.slice(0, 2)]).toEqual([18, 6]);
  });
});
