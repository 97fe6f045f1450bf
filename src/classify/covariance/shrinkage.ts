/** `auto`: the share of each class by Ledoit and Wolf, on columns of variance 1. A number: that share, in [0, 1]. */
export type Shrinkage = number | 'auto';

/** The covariance within classes, Σ = sum over c of p_c·[(1 - s_c)·S_c + s_c·T_c], p_c the share of c's rows. */
export interface Covariance {
  /** s_c of each class, shape (classes). */
  readonly shrinkages: Float64Array;
  /** Σ⁻¹·B, B (d, k). Undefined where Σ is singular to rounding. */
  solve(B: Float64Array, k: number): Promise<Float64Array | undefined>;
}

/** Sums over n centred rows of d columns, from which the shrinkage of their covariance follows. */
export interface ShrinkageSums {
  readonly rows: number;
  readonly cols: number;
  /** Trace of the covariance. */
  readonly trace: number;
  /** Sum of the squared entries of the covariance. */
  readonly squares: number;
  /** Sum over the rows of their squared length, squared. */
  readonly fourths: number;
}

/**
 * The share s of the identity (times mean variance) that brings (1 - s)·S + s·(trace / d)·I nearest to the true
 * covariance in the mean: Ledoit and Wolf 2004, lemma 3.3, in the form of scikit-learn's `ledoit_wolf`. In [0, 1]; 0
 * where rows show no error of S, as two rows do, or none.
 */
export function ledoitWolf({ rows, cols, trace, squares, fourths }: ShrinkageSums): number {
  const mean = trace / cols;
  const apart = (squares - 2 * mean * trace + cols * mean ** 2) / cols;
  const error = Math.min((fourths / rows - squares) / (cols * rows), apart);
  return error > 0 ? error / apart : 0;
}
