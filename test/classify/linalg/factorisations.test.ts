import { describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { quickCholesky } from '../../../src/classify/linalg/quick-cholesky.ts';
import { timesThin } from '../../../src/classify/linalg/thin.ts';
import { shifted, tridiagonalOf } from '../../../src/classify/linalg/tridiagonal.ts';
import { addScaled, largestAbsolute } from '../../../src/classify/linalg/vectors.ts';
import { panelsOf } from '../../support/symmetric-panels.ts';
import { expectCode } from '../heads/head-contract.ts';

/** R·Rᵀ of normal numbers R (n, rank), float64. */
function positive(n: number, rank: number) {
  const source = random(n);
  const R = Float64Array.from({ length: n * rank }, () => source.normal());
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let c = 0; c < rank; c++) sum += R[i * rank + c]! * R[j * rank + c]!;
      data[i * n + j] = data[j * n + i] = sum;
    }
  return { data, rows: n, cols: n };
}

const columns = (n: number, k: number): Float64Array => {
  const source = random(k);
  return Float64Array.from({ length: n * k }, () => source.normal());
};

/** Of (A + alpha)·X - B. */
async function residual(A: ReturnType<typeof positive>, alpha: number, X: Float64Array, B: Float64Array, k: number) {
  const product = await timesThin(A, X, k, 'float64');
  addScaled(product, alpha, X);
  addScaled(product, -1, B);
  return largestAbsolute(product);
}

describe('the tridiagonal form', () => {
  it.each([1, 2, 3, 63, 64, 65, 130])(
    'of %d rows solves every shifted system, and its basis is orthogonal',
    async (n) => {
      const A = positive(n, n + 2);
      const T = await tridiagonalOf({ ...A, data: A.data.slice() });
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) {
          let inner = 0;
          for (let c = 0; c < n; c++) inner += T.basis.data[i * n + c]! * T.basis.data[j * n + c]!;
          expect(Math.abs(inner - Number(i === j))).toBeLessThan(1e-13);
        }
      const k = 3;
      const B = columns(n, k);
      const turned = await timesThin(T.basis, B, k, 'float64');
      for (const alpha of [0.01, 1, 100]) {
        const system = shifted(T, alpha)!;
        const within = system.solve(turned, k);
        const transposed = {
          ...T.basis,
          data: T.basis.data.map((_, at) => T.basis.data[(at % n) * n + Math.floor(at / n)]!),
        };
        const X = await timesThin(transposed, within, k, 'float64');
        expect(await residual(A, alpha, X, B, k)).toBeLessThan(1e-10 * n);
        const squares = system.squares(turned, k);
        for (let c = 0; c < k; c++) {
          let expected = 0;
          for (let i = 0; i < n; i++) expected += B[i * k + c]! * X[i * k + c]!;
          expect(squares[c]! / expected).toBeCloseTo(1, 9);
        }
      }
    },
  );

  it('has no shifted system where the matrix is not positive', async () => {
    const T = await tridiagonalOf({ data: Float64Array.of(1, 2, 2, 1), rows: 2, cols: 2 });
    expect(shifted(T, 0.5)).toBeUndefined();
    expect(shifted(T, 1.5)).toBeDefined();
  });

  it('of rows that are zero beside the diagonal is the matrix itself', async () => {
    const { diagonal, subdiagonal } = await tridiagonalOf({
      data: Float64Array.of(3, 0, 0, 0, 2, 0, 0, 0, 1),
      rows: 3,
      cols: 3,
    });
    expect([...diagonal]).toEqual([3, 2, 1]);
    expect([...subdiagonal]).toEqual([0, 0, 0]);
  });

  it('can be interrupted', async () => {
    const signal = AbortSignal.abort();
    await expectCode(tridiagonalOf(positive(3, 3), { signal }), 'INTERRUPTED', /./);
  });
});

describe('the float32 Cholesky factor', () => {
  it.each([1, 255, 256, 257, 600])('of %d rows is nearly the inverse', async (n) => {
    const A = positive(n, 20);
    const B = columns(n, 2);
    const X = await (await quickCholesky(panelsOf(A), 1))!.apply(B, 2);
    const found = await residual(A, 1, X, B, 2);
    expect(found).toBeLessThan(2e-3);
    // It is float32: a float64 factor leaves a thousandth of a millionth.
    if (n > 1) expect(found).toBeGreaterThan(1e-9);
  });

  it('says where a matrix is not positive to its rounding', async () => {
    expect(await quickCholesky(panelsOf({ data: Float64Array.of(1, 2, 2, 1), rows: 2, cols: 2 }), 0.5)).toBeUndefined();
  });
});
