import { PermafrostError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { checkAborted } from '../checks.ts';
import { type Factor, gemm } from './gemm.ts';
import type { FitContext } from '../head.ts';
import { inverseCholesky } from './inverse-cholesky.ts';
import { type Eigenpairs, symmetricEigen } from './symmetric-eigen.ts';

/** Up to so many rows the whole decomposition takes a tenth of a second. */
const WHOLE = 128;
/** Multiplications by the square of the matrix between two checks of the eigenvalues, and the most of them. */
const STEPS = 3;
const MOST_STEPS = 60;
/** Iteration ends when the sum of the wanted eigenvalues grows by less than this part of itself from check to check. */
const ENOUGH = 1e-5;

/**
 * The `count` largest eigenpairs of the symmetric, positive A (size, size) by subspace iteration with half as many
 * columns more, and Rayleigh and Ritz (Halko, Martinsson and Tropp 2011; Golub and Van Loan 2013, chapter 8.2).
 * Directions of nearly equal eigenvalues may mix. Throws INTERRUPTED.
 */
export async function topEigenpairs(
  A: Float64Array,
  size: number,
  count: number,
  source: Random,
  context?: FitContext,
): Promise<Eigenpairs> {
  const width = count + Math.max(16, Math.ceil(count / 2));
  if (size <= WHOLE || width * 2 > size) return symmetricEigen(A, size, count);
  const whole = { data: A, rows: size, cols: size };
  let Q = await orthonormal({
    data: Float64Array.from({ length: size * width }, () => source.normal()),
    rows: size,
    cols: width,
  });
  // Each product with the square is worth two with the matrix, and the basis has to be made orthonormal half as often.
  const square = await gemm('neither', whole, whole);
  let last = 0;
  for (let step = 1; ; step++) {
    checkAborted(context);
    Q = await orthonormal(await gemm('neither', square, Q));
    if (step % STEPS !== 0) continue;
    const T = await gemm('left', Q, await gemm('neither', whole, Q));
    const small = await symmetricEigen(symmetric(T.data as Float64Array, width), width, count);
    const sum = small.values.reduce((total, value) => total + value, 0);
    if (sum - last <= ENOUGH * sum || step >= MOST_STEPS) {
      const vectors = await gemm('right', { data: small.vectors, rows: count, cols: width }, Q);
      return { values: small.values, vectors: vectors.data as Float64Array };
    }
    last = sum;
  }
}

/** The mean of a matrix and its transpose: the eigenvalue solver reads one half only. */
function symmetric(T: Float64Array, n: number): Float64Array {
  return T.map((value, at) => (value + T[(at % n) * n + Math.floor(at / n)]!) / 2);
}

/** An orthonormal basis of Y's columns, by Cholesky twice: once loses half of the digits (Yamamoto et al. 2015). */
async function orthonormal(Y: Factor): Promise<Factor> {
  return divided(await divided(Y));
}

async function divided(Y: Factor): Promise<Factor> {
  const n = Y.cols;
  const data = ((await gemm('left', Y, Y)).data as Float64Array).slice();
  let trace = 0;
  for (let i = 0; i < n; i++) trace += data[i * n + i]!;
  // Far above rounding, so that columns which depend on each other keep the factor real; far below what is sought.
  for (let i = 0; i < n; i++) data[i * n + i]! += trace * 2 ** -40;
  const inverse = await inverseCholesky({ data, rows: n, cols: n });
  if (inverse !== undefined) return gemm('right', Y, inverse);
  throw new PermafrostError('FIT_INVALID', 'The features have no variance: there are no principal components.');
}
