import { PermafrostError } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import { matrix } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import { gemm } from '../gemm.ts';
import type { FitContext } from '../head.ts';
import { timesThin, transposedTimesThin } from '../linalg-thin.ts';
import { centredGram } from './centred-gram.ts';
import { inverseCholesky } from './inverse-cholesky.ts';
import type { ClassWeight } from './row-weights.ts';
import { classWeights, rowWeights } from './row-weights.ts';
import { columnSums, weightedRows } from './vectors.ts';

export interface RidgeTask {
  /** Class index per row. */
  readonly y: Int32Array;
  readonly classes: number;
  readonly classWeight: ClassWeight;
}

export interface RidgeChoice {
  readonly alpha: number;
  /** Mean squared leave-one-out error of each alpha, over rows and columns of targets, errors times the root of the row's weight. */
  readonly errors: readonly number[];
  /** Decision value of each row from all others, for the chosen alpha. Shape (n, k). */
  readonly leftOut: Float64Array;
  /** Shape (d, k): one column for two classes, else one a class. */
  readonly weights: Matrix;
  readonly intercept: Float32Array;
}

/** The largest system that is factorised: 0.5 GB. */
const MOST = 8192;

/**
 * Ridge regression to targets of -1 and 1 for every alpha, in closed form, and the alpha of the least squared leave-one-out error: that of
 * scikit-learn's RidgeClassifierCV (the first of equals). With Xc the centred rows, both times the root of their weight, the system is
 * Xc·Xcᵀ + alpha (n rows) or Xcᵀ·Xc + alpha (d columns), whichever is smaller. A row's error when it is left out is its residual over
 * 1 - h, h its leverage (Allen 1974; Golub, Heath and Wahba 1979), with the free intercept's share of h.
 * Throws FIT_INVALID when both n and d exceed 8192, INTERRUPTED.
 */
export async function ridgePath(
  X: Matrix,
  { y, classes, classWeight }: RidgeTask,
  alphas: readonly number[],
  context?: FitContext,
): Promise<RidgeChoice> {
  const byClass = classWeights(y, classes, classWeight);
  const weights = rowWeights(y, (c) => byClass[c]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const roots = weights.map(Math.sqrt);
  const targets = targetsOf(y, classes);
  const k = targets.length / y.length;
  const meanTarget = weightedRows(shares, targets, k);
  const T = targets.map((t, at) => roots[Math.floor(at / k)]! * (t - meanTarget[at % k]!));
  const mean = new Float32Array(await transposedTimesThin(X, shares, 1, 'float64'));
  const system = await (X.rows <= X.cols ? rowSystem : columnSystem)(X, mean, roots, T, k, context);

  let best: { alpha: number; error: number; solution: RidgeSolution; lost: Float64Array } | undefined;
  const errors: number[] = [];
  for (const alpha of alphas) {
    checkAborted(context);
    const solution = await system(alpha);
    const { residuals, leverages } = solution;
    const lost = residuals.map((r, at) => {
      const i = Math.floor(at / k);
      return r / (1 - leverages[i]! - shares[i]!);
    });
    const error = lost.reduce((sum, e) => sum + e * e, 0) / lost.length;
    errors.push(error);
    if (best === undefined || error < best.error) best = { alpha, error, solution, lost };
  }
  if (best === undefined) throw new PermafrostError('FIT_INVALID', 'There is no alpha to choose from.');
  const { weights: W } = await best.solution.finish();
  const shift = weightedRows(new Float64Array(mean), W, k);
  return {
    alpha: best.alpha,
    errors,
    leftOut: targets.map((t, at) => t - best.lost[at]! / roots[Math.floor(at / k)]!),
    weights: matrix(X.cols, k, new Float32Array(W)),
    intercept: Float32Array.from(meanTarget, (t, c) => t - shift[c]!),
  };
}

/** The targets (n, k): -1 and 1 in one column for two classes, else a column for each class against the rest. */
function targetsOf(y: Int32Array, classes: number): Float64Array {
  if (classes === 2) return Float64Array.from(y, (c) => (c === 1 ? 1 : -1));
  return Float64Array.from({ length: y.length * classes }, (_, at) =>
    y[Math.floor(at / classes)] === at % classes ? 1 : -1,
  );
}

interface RidgeSolution {
  /** Of the centred, weighted problem, shape (n, k). */
  readonly residuals: Float64Array;
  /** The diagonal of the hat matrix without the intercept, shape (n). */
  readonly leverages: Float64Array;
  /** The weights (d, k), float64. */
  readonly finish: () => Promise<{ weights: Float64Array }>;
}
type RidgeSystem = (alpha: number) => Promise<RidgeSolution>;

async function rowSystem(
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
    const dual = await solve(inverse, T, k);
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
 * K without its part along `direction`, in place. Exact centring leaves none; what float32 left there would be divided by a
 * small alpha.
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

async function columnSystem(
  X: Matrix,
  mean: Float32Array,
  roots: Float64Array,
  T: Float64Array,
  k: number,
): Promise<RidgeSystem> {
  const d = X.cols;
  checkSize(d, X);
  const Xc = { data: new Float64Array(X.data.length), rows: X.rows, cols: d };
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let j = 0; j < d; j++, at++) Xc.data[at] = roots[i]! * (X.data[at]! - mean[j]!);
  }
  const moments = (await gemm('left', Xc, Xc)).data as Float64Array;
  const XT = await transposedTimesThin(Xc, T, k, 'float64');
  return async (alpha) => {
    const inverse = await factor(moments, d, alpha);
    const weights = await solve(inverse, XT, k);
    const fitted = await timesThin(Xc, weights, k, 'float64');
    const turned = (await gemm('right', Xc, inverse)).data;
    const leverages = new Float64Array(X.rows);
    for (let i = 0, at = 0; i < X.rows; i++) for (let j = 0; j < d; j++) leverages[i]! += turned[at++]! ** 2;
    return {
      residuals: T.map((t, at) => t - fitted[at]!),
      leverages,
      finish: () => Promise.resolve({ weights }),
    };
  };
}

type Inverse = NonNullable<Awaited<ReturnType<typeof inverseCholesky>>>;

/** L⁻¹ of A + alpha = L·Lᵀ. */
async function factor(A: Float64Array, n: number, alpha: number): Promise<Inverse> {
  const data = A.slice();
  for (let i = 0; i < n; i++) data[i * n + i]! += alpha;
  const inverse = await inverseCholesky({ data, rows: n, cols: n });
  if (inverse !== undefined) return inverse;
  throw new PermafrostError(
    'FIT_INVALID',
    `With alpha ${alpha} the ridge system of ${n} unknowns is singular to rounding. Use a larger alpha, or normalise the features.`,
  );
}

/** A⁻¹·B = L⁻ᵀ·(L⁻¹·B), B (n, k). */
async function solve(inverse: Inverse, B: Float64Array, k: number): Promise<Float64Array> {
  const half = await timesThin(inverse, B, k, 'float64');
  return transposedTimesThin(inverse, half, k, 'float64');
}

function checkSize(size: number, X: Matrix): void {
  if (size <= MOST) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `Leave-one-out needs at most ${MOST} rows or columns, these features have ${X.rows} and ${X.cols}. Give a single alpha, or use pooled features.`,
  );
}
