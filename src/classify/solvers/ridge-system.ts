import { PermafrostError } from '../../core/errors.ts';
import type { RowsShape } from '../head.ts';
import { inverseCholesky, type Square } from '../linalg/inverse-cholesky.ts';
import { shifted, type Shifted, type Tridiagonal } from '../linalg/tridiagonal.ts';

/** The largest system that is factorised: 0.5 GB. */
const MOST = 8192;

/** The rows' classes and the weight of each class. */
export interface RidgeTargets {
  readonly y: Int32Array;
  readonly byClass: Float64Array;
}

/** The means that a fit's intercept takes from its rows and targets. */
export interface RidgeMeans {
  /** Of the columns, weighted, shape (d). */
  readonly mean: Float64Array;
  /** Weighted mean of the targets, shape (k). */
  readonly meanTarget: Float64Array;
}

/**
 * Ridge regression on centred rows and targets of -1 and 1, both times the root of the row's weight; a column for two
 * classes, else one for each class against the rest. One tridiagonal form serves every penalty (Eldén 1977). Throws
 * FIT_INVALID where a penalty leaves the system singular to rounding.
 */
export interface RidgeSystem extends RidgeMeans {
  /**
   * Mean squared leave-one-out error of each penalty: residual / (1 - h), h the leverage with the intercept's part
   * (Allen 1974; Golub, Heath and Wahba 1979).
   */
  errorsOf(alphas: readonly number[]): Promise<number[]>;
  /** Shape (d, k), float64. */
  weightsOf(alpha: number): Promise<Float64Array>;
}

/** L⁻¹ of A + alpha = L·Lᵀ. */
export async function factor(A: Float64Array, n: number, alpha: number): Promise<Square> {
  const data = A.slice();
  for (let i = 0; i < n; i++) data[i * n + i]! += alpha;
  return (await inverseCholesky({ data, rows: n, cols: n })) ?? singular(n, alpha);
}

/** A + alpha by its tridiagonal form. */
export const shiftedBy = (T: Tridiagonal, alpha: number): Shifted =>
  shifted(T, alpha) ?? singular(T.diagonal.length, alpha);

function singular(n: number, alpha: number): never {
  throw new PermafrostError(
    'FIT_INVALID',
    `With alpha ${alpha} the ridge system of ${n} unknowns is singular to rounding. Use a larger alpha, or normalise the features.`,
  );
}

/** Throws FIT_INVALID for rows whose system would have more unknowns. */
export function checkSize(size: number, { rows, cols }: RowsShape): void {
  if (size <= MOST) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `Leave-one-out needs at most ${MOST} rows or columns, these features have ${rows} and ${cols}. Give a single alpha, or use pooled features.`,
  );
}
