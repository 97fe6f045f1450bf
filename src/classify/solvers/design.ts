import type { Matrix } from '../../core/matrix.ts';
import type { FloatType } from '../linalg/thin.ts';
import type { HessianColumns } from './hessian-columns.ts';
import type { LossAt } from './loss.ts';
import type { Vector } from './objective.ts';

/** Weights (d, k) that are in memory, as a design holds them. */
export type Element = Pick<Vector, 'coef' | 'logits'>;

/** For a direction whose logits get a `shift` (k): the second derivative of the loss by the centred weights. */
export type DesignHessian = (direction: Element, shift: Float64Array) => Promise<HessianColumns>;

/** A Newton system of one column of logits. */
export interface NewtonSystem {
  /** The second derivative of each row, shape (n). */
  readonly scale: Float32Array;
  readonly penalty: number;
  /** The gradient by the weights, and by the intercept as a logit. */
  readonly gradient: Float64Array;
  readonly shift: number;
}

/**
 * What every linear fit asks of its rows. Columns are centred: a free intercept makes it the same problem, far better
 * conditioned for features after a ReLU.
 */
export interface FitRows {
  readonly rows: number;
  /** Coefficients for each column of logits. */
  readonly size: number;
  /** Euclidean norm of the column means, 0 for centred features. */
  readonly meanNorm: number;
  /** Of the centred rows. */
  readonly meanSquaredNorm: number;
  /** Cheaper, and nearly the same: its optimum is where a fit should start. */
  readonly rough?: Design;
  /** The weights (d, k) of `coef`, float32, and the logit that the column means get from them, shape (k). */
  weights(coef: Float64Array, k: number): Promise<{ weights: Matrix; meanLogits: Float64Array }>;
}

/**
 * Training rows in memory as a solver sees them, Xc = X - mean: one design for every fold, subset, penalty and loss.
 * Products asked for at the same time are joined.
 */
export interface Design extends FitRows {
  /** Where the design has not all rows: which. */
  readonly sampled?: Int32Array;
  /** Xc·W, shape (n, k). */
  logits(coef: Float64Array, k: number, precision: FloatType): Promise<Float64Array>;
  /** The coefficients of Xcᵀ·R, R of shape (n, k); the result may be R itself. */
  adjoint(R: Float64Array, k: number, precision: FloatType): Promise<Float64Array>;
  /** The logits of `coef` where the inner product needs them, by float32 Gram products; else empty. */
  gramProduct(coef: Float64Array, k: number): Promise<Float64Array>;
  /** The second derivative of a loss at one point, by the weights; float32 products. */
  hessian(here: LossAt): DesignHessian;
  /** A Newton step's weights by factorisation, one system at a time; undefined where it is singular to rounding. */
  readonly direct?: (request: NewtonSystem) => Promise<Float64Array | undefined>;
  /** The inner product of two weight matrices, over all columns of logits. */
  inner(a: Pick<Element, 'coef'>, b: Element): number;
  /** An upper bound of an element's largest absolute weight. */
  largest(a: Element): number;
  /** A closer one, where that is rough; above `tol` any larger value will do as well. */
  readonly closer?: (a: Element, tol: number) => Promise<number>;
}

/** The length of the column that an intercept is the weight of: that of the rows. */
export function interceptScaleOf({ meanSquaredNorm }: Pick<FitRows, 'meanSquaredNorm'>): number {
  return meanSquaredNorm > 0 ? Math.sqrt(meanSquaredNorm) : 1;
}
