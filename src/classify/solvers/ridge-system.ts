import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { type Factor, gemm } from '../linalg/gemm.ts';
import type { FitContext } from '../head.ts';
import { timesThin, transposedTimesThin } from '../linalg/thin.ts';
import { centredGram } from './centred-gram.ts';
import { inverseCholesky, solveBy } from '../linalg/inverse-cholesky.ts';
import { columnSums } from '../linalg/vectors.ts';

/** The largest system that is factorised: 0.5 GB. */
export const MOST = 8192;

export interface RidgeSolution {
  /** Of the centred, weighted problem, shape (n, k). */
  readonly residuals: Float64Array;
  /** The diagonal of the hat matrix without the intercept, shape (n). */
  readonly leverages: Float64Array;
  /** The weights (d, k), float64. */
  readonly finish: () => Promise<{ weights: Float64Array }>;
}
/** What one penalty gives. */
type RidgeSystem = (alpha: number) => Promise<RidgeSolution>;

/**
 * The system of Xc·Xcᵀ, for no more rows than columns: X (n, d) less its `mean` (d), rows times their `roots` (n), as T
 * (n, k) are already. Throws FIT_INVALID above 8192 rows and where a penalty leaves the system singular to rounding,
 * INTERRUPTED.
 */
export async function rowSystem(
  X: Matrix,
  mean: Float32Array,
  roots: Float64Array,
  T: Float64Array,
  k: number,
  context?: FitContext,
): Promise<RidgeSystem> {
  const n = X.rows;
  checkSize(n, X);
  const K = await centredGram(X, mean, context);
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < n; j++) K[at++]! *= roots[i]! * roots[j]!;
  projectOut(K, roots);
  return async (alpha) => {
    const inverse = await factor(K, n, alpha);
    const dual = await solveBy(inverse, T, k);
    const diagonal = new Float64Array(n);
    for (let j = 0, at = 0; j < n; j++) for (let i = 0; i < n; i++) diagonal[i]! += inverse.data[at++]! ** 2;
    return {
      // K·dual = T - alpha·dual, and the hat matrix is 1 - alpha·(K + alpha)⁻¹.
      residuals: dual.map((value) => alpha * value),
      leverages: diagonal.map((value) => 1 - alpha * value),
      async finish() {
        const scaled = dual.map((value, at) => value * roots[Math.floor(at / k)]!);
        const sums = columnSums(scaled, k);
        const weights = await transposedTimesThin(X, scaled, k, 'float64');
        return { weights: weights.map((w, at) => w - mean[Math.floor(at / k)]! * sums[at % k]!) };
      },
    };
  };
}

/**
 * K without its part along `direction`, in place. Exact centring leaves none; what float32 left there would be divided
 * by a small alpha.
 */
function projectOut(K: Float64Array, direction: Float64Array): void {
  const n = direction.length;
  const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  const u = direction.map((value) => value / length);
  const Ku = u.map((_, i) => u.reduce((sum, value, j) => sum + K[i * n + j]! * value, 0));
  const uKu = u.reduce((sum, value, i) => sum + value * Ku[i]!, 0);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < n; j++) K[at++]! += uKu * u[i]! * u[j]! - u[i]! * Ku[j]! - Ku[i]! * u[j]!;
  }
}

/** The same of Xcᵀ·Xc, for fewer columns than rows. Throws FIT_INVALID. */
export async function columnSystem(
  X: Matrix,
  mean: Float32Array,
  roots: Float64Array,
  T: Float64Array,
  k: number,
): Promise<RidgeSystem> {
  const d = X.cols;
  checkSize(d, X);
  const columns = centredColumns(X, mean, roots);
  const moments = (await gemm('right', columns, columns)).data as Float64Array;
  const XT = await timesThin(columns, T, k, 'float64');
  return async (alpha) => {
    const inverse = await factor(moments, d, alpha);
    const weights = await solveBy(inverse, XT, k);
    const fitted = await transposedTimesThin(columns, weights, k, 'float64');
    return {
      residuals: T.map((t, at) => t - fitted[at]!),
      leverages: await leveragesOf(inverse, columns),
      finish: () => Promise.resolve({ weights }),
    };
  };
}

/** Xcᵀ, each row times the root of its weight, shape (d, n), float64. */
function centredColumns(X: Matrix, mean: Float32Array, roots: Float64Array): Inverse {
  const [n, d] = [X.rows, X.cols];
  const data = new Float64Array(X.data.length);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = 0; j < d; j++, at++) data[j * n + i] = roots[i]! * (X.data[at]! - mean[j]!);
  }
  return { data, rows: d, cols: n };
}

/** Parts of a triangle: with eight of them 0.56 of the whole square is multiplied. */
const PARTS = 8;

/**
 * The squared length of each row of Xc·L⁻ᵀ, shape (n). L⁻¹ is a lower triangle: its first lines meet the first columns
 * alone.
 */
export async function leveragesOf(
  inverse: Inverse,
  { data, rows: d, cols: n }: Factor,
): Promise<Float64Array> {
  const leverages = new Float64Array(n);
  const step = Math.ceil(d / PARTS);
  for (let from = 0; from < d; from += step) {
    const to = Math.min(d, from + step);
    const lines = new Float64Array((to - from) * to);
    for (let i = from; i < to; i++) lines.set(inverse.data.subarray(i * d, i * d + to), (i - from) * to);
    const first = { data: data.subarray(0, to * n), rows: to, cols: n };
    const turned = await gemm('neither', { data: lines, rows: to - from, cols: to }, first);
    addSquares(leverages, turned.data);
  }
  return leverages;
}

function addSquares(sums: Float64Array, lines: Float32Array | Float64Array): void {
  const n = sums.length;
  for (let at = 0; at < lines.length;) for (let i = 0; i < n; i++) sums[i]! += lines[at++]! ** 2;
}

export type Inverse = NonNullable<Awaited<ReturnType<typeof inverseCholesky>>>;

/** L⁻¹ of A + alpha = L·Lᵀ. */
export async function factor(A: Float64Array, n: number, alpha: number): Promise<Inverse> {
  const data = A.slice();
  for (let i = 0; i < n; i++) data[i * n + i]! += alpha;
  const inverse = await inverseCholesky({ data, rows: n, cols: n });
  if (inverse !== undefined) return inverse;
  throw new PermafrostError(
    'FIT_INVALID',
    `With alpha ${alpha} the ridge system of ${n} unknowns is singular to rounding. Use a larger alpha, or normalise the features.`,
  );
}

function checkSize(size: number, X: Matrix): void {
  if (size <= MOST) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `Leave-one-out needs at most ${MOST} rows or columns, these features have ${X.rows} and ${X.cols}. Give a single alpha, or use pooled features.`,
  );
}
