import type { FitContext } from '../head.ts';
import { inverseCholesky, product, solveBy, type Square } from '../linalg/inverse-cholesky.ts';
import type { Factor } from '../linalg/gemm.ts';
import { quickCholesky } from '../linalg/quick-cholesky.ts';
import { panelBytes, type SymmetricPanels, timesSymmetric, wholeOf } from '../linalg/symmetric-panels.ts';
import { addScaled, dot } from '../linalg/vectors.ts';
import { classWeights, type ClassWeight } from '../solvers/class-weights.ts';
import { conjugateGradients } from '../solvers/conjugate-gradients.ts';
import { positivesOf } from '../solvers/linear-problems.ts';
import { factor } from '../solvers/ridge-system.ts';

/** The classes of the rows, and what each counts. */
export interface KernelTask {
  /** Class index of each row, shape (n). */
  readonly y: Int32Array;
  readonly classes: number;
  readonly classWeight: ClassWeight;
}

/**
 * Kernel ridge regression to targets of -1 and 1 without an intercept, as scikit-learn's KernelRidge (Saunders,
 * Gammerman and Vovk 1998): dual = (K + alpha)⁻¹·T; weighted rows as it does, both sides times the root of the weight.
 */
export interface KernelSystem<Kernel extends Square | SymmetricPanels = Square> {
  /** Root of each row's weight, shape (n). */
  readonly roots: Float64Array;
  /** Times the roots on both sides. */
  readonly K: Kernel;
  /** Targets times the roots, shape (n, k): one column for two classes, else one for each class against the rest. */
  readonly T: Float64Array;
  readonly k: number;
}

/** One penalty's solution, in terms of the weighted system. */
export interface KernelSolution {
  /** L⁻¹ of K + alpha = L·Lᵀ. */
  readonly inverse: Square;
  /** Shape (n, k). */
  readonly dual: Float64Array;
}

/**
 * Peak bytes of one solution on so many rows, where float32 is not enough: the kernel in float32 and float64, a factor,
 * its inverse and what making that takes. Else less than a third of it.
 */
export const kernelRidgeBytes = (rows: number): number => panelBytes(rows) + 4 * 8 * rows ** 2;

/** The system of a kernel matrix, which it scales in place. */
export function kernelSystem<Kernel extends Square | SymmetricPanels>(
  K: Kernel,
  { y, classes, classWeight }: KernelTask,
): KernelSystem<Kernel> {
  const byClass = classWeights(y, classes, classWeight);
  const roots = Float64Array.from(y, (c) => Math.sqrt(byClass[c]!));
  if (classWeight !== 'none') {
    const parts: readonly { readonly start: number; readonly block: Factor }[] =
      'panels' in K ? K.panels : [{ start: 0, block: K }];
    for (const { start, block } of parts) scale(block, roots, roots.subarray(start));
  }
  const positives = positivesOf(classes);
  const k = positives.length;
  const T = Float64Array.from({ length: y.length * k }, (_, at) => {
    const i = Math.floor(at / k);
    return y[i] === positives[at % k] ? roots[i]! : -roots[i]!;
  });
  return { roots, K, T, k };
}

/** Line i and column j times their roots, in place. */
function scale({ data, rows, cols }: Factor, ofLines: Float64Array, ofColumns: Float64Array): void {
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < cols; j++) data[at++]! *= ofLines[i]! * ofColumns[j]!;
}

/** Throws FIT_INVALID where the penalty leaves the system singular to rounding. */
export async function solveKernel(
  { K, T, k }: Pick<KernelSystem, 'K' | 'T' | 'k'>,
  alpha: number,
): Promise<KernelSolution> {
  const inverse = await factor(K.data, K.rows, alpha);
  return { inverse, dual: await solveBy(inverse, T, k) };
}

/** Conjugate gradients end when they leave this part of the targets: training rows are then answered to 1e-9. */
const ENOUGH = 1e-9;
/** Measured: 2 for usual penalties, 19 just above those that leave no float32 factor. */
const MOST_STEPS = 20;
const NONE = new Float64Array(0);

/**
 * The dual (n, k) of one penalty alone, of a float32 kernel: conjugate gradients with products in float64, of which a
 * float32 Cholesky factor is the preconditioner (Higham 2002, chapter 12), a fourth of the work of `solveKernel`. That
 * one takes over where a penalty is too small for float32. Throws as it, and INTERRUPTED.
 */
export async function solveOne(
  { K, T, k }: Pick<KernelSystem<SymmetricPanels>, 'K' | 'T' | 'k'>,
  alpha: number,
  context?: FitContext,
): Promise<Float64Array> {
  const quick = await quickCholesky(K, alpha, context);
  if (quick !== undefined) {
    const vector = (coef: Float64Array) => ({ coef, bias: NONE, logits: NONE });
    const { step, ended } = await conjugateGradients(
      { inner: (a, b) => dot(a.coef, b.coef) },
      {
        gradient: vector(T.map((target) => -target)),
        hessian: () => async (direction) => {
          const product = await timesSymmetric(K, direction.coef, k);
          addScaled(product, alpha, direction.coef);
          return vector(product);
        },
        precondition: async (residual) => vector(await quick.apply(residual.coef, k)),
      },
      (_, norm) => norm <= ENOUGH * Math.sqrt(T.length),
      MOST_STEPS,
    );
    if (ended) return step.coef;
  }
  return (await solveKernel({ K: wholeOf(K), T, k }, alpha)).dual;
}

/** The coefficients of the rows in f(x) = Σ exp(-gamma·|x - xᵢ|²)·coefᵢ, shape (n, k). */
export const coefficientsOf = ({ roots, k }: Pick<KernelSystem, 'roots' | 'k'>, dual: Float64Array): Float64Array =>
  dual.map((value, at) => value * roots[Math.floor(at / k)]!);

/**
 * What the targets of some rows would miss by if these rows were left out, in terms of the weighted system: (M_II)⁻¹
 * times dual_I with M = (K + alpha)⁻¹, shape (rows, k). One factorisation serves every fold (An, Liu and Venkatesh
 * 2007, "Fast cross-validation algorithms for least squares support vector machine and kernel ridge regression").
 */
export async function leftOutResiduals(
  { inverse, dual }: KernelSolution,
  rows: readonly number[],
  k: number,
): Promise<Float64Array> {
  const [n, m] = [inverse.rows, rows.length];
  const own = new Float64Array(m * k);
  rows.forEach((i, r) => own.set(dual.subarray(i * k, (i + 1) * k), r * k));
  // L⁻¹ is lower triangular: above its first row a column has zeros.
  const first = rows.reduce((least, i) => Math.min(least, i), n);
  const columns = new Float64Array((n - first) * m);
  for (let line = first, at = 0; line < n; line++) for (const i of rows) columns[at++] = inverse.data[line * n + i]!;
  const B = { data: columns, rows: n - first, cols: m };
  const factored = await inverseCholesky(await product('left', B, B));
  // M is as positive as K + alpha, whose factor there is.
  if (factored === undefined) throw new Error('The inverse of a positive matrix is not positive.');
  return solveBy(factored, own, k);
}

/** The same for each row by itself, shape (n, k): M_II is then a number, the squared length of a column of L⁻¹. */
export function leaveOneOutResiduals({ inverse, dual }: KernelSolution, k: number): Float64Array {
  const n = inverse.rows;
  const diagonal = new Float64Array(n);
  for (let line = 0, at = 0; line < n; line++) for (let i = 0; i < n; i++) diagonal[i]! += inverse.data[at++]! ** 2;
  return dual.map((value, at) => value / diagonal[Math.floor(at / k)]!);
}
