import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { kernelPanels } from '../../../src/classify/kernels/kernel-matrix.ts';
import { kernelSystem, solveKernel, solveOne } from '../../../src/classify/kernels/kernel-ridge.ts';
import { squaredDistances } from '../../../src/classify/kernels/squared-distances.ts';
import { quickCholesky } from '../../../src/classify/linalg/quick-cholesky.ts';
import { wholeOf } from '../../../src/classify/linalg/symmetric-panels.ts';
import { expectCode } from '../heads/head-contract.ts';

/** The float32 system of rows of three columns: its eigenvalues go from the number of rows down to rounding. */
async function system(n: number, classWeight: 'none' | 'balanced' = 'none') {
  const source = random(n);
  const X = matrix(
    n,
    3,
    Float32Array.from({ length: n * 3 }, () => source.normal()),
  );
  const y = Int32Array.from({ length: n }, (_, i) => (X.data[3 * i]! > 0.5 ? 2 : Number(X.data[3 * i + 1]! > 0)));
  const K = await kernelPanels(await squaredDistances(matrixRows(X)), 0.1);
  return kernelSystem(K, { y, classes: 3, classWeight });
}

const exactly = async ({ K, ...others }: Awaited<ReturnType<typeof system>>, alpha: number) =>
  (await solveKernel({ ...others, K: wholeOf(K) }, alpha)).dual;

describe('one solution of a kernel system', () => {
  it.each([
    [5, 0.1, 'none'],
    [300, 10, 'none'],
    [300, 0.1, 'balanced'],
    [700, 1e-3, 'none'],
  ] as const)('of %d rows with alpha %d, class weight %s, is that of a factor in float64', async (n, alpha, weight) => {
    const given = await system(n, weight);
    const [found, expected] = [await solveOne(given, alpha), await exactly(given, alpha)];
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // Far below the rounding of the float32 coefficients that a head keeps.
    found.forEach((value, at) => expect(Math.abs(value - expected[at]!)).toBeLessThan(1e-8 * largest));
    // The preconditioner alone is not that near.
    const quick = await (await quickCholesky(given.K, alpha))!.apply(given.T, given.k);
    const far = quick.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
    expect(far).toBeGreaterThan(1e-8 * largest);
  });

  it('is in float64 where the penalty is too small for a float32 factor', async () => {
    const given = await system(300);
    expect(await quickCholesky(given.K, 2e-6)).toBeUndefined();
    expect([...(await solveOne(given, 2e-6))]).toEqual([...(await exactly(given, 2e-6))]);
  });

  it('says where it is too small for float64 too, and can be interrupted', async () => {
    const given = await system(300);
    await expectCode(solveOne(given, 1e-12), 'FIT_INVALID', /singular to rounding/);
    const signal = AbortSignal.abort();
    await expectCode(solveOne(await system(600), 0.1, { signal }), 'INTERRUPTED', /./);
  });
});
