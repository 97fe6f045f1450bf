import type { Matrix } from '../../core/matrix.ts';
import type { Precision } from '../linalg/thin.ts';
import type { LossAt } from './loss.ts';

/**
 * A weight matrix W (d, k) as a solver holds it: coefficients in the design's own basis, shape (size, k), and what the
 * design's inner product needs beside them: its scores Xc·W on the centred training rows, shape (n, k), or nothing.
 * Row-major.
 */
export interface Element {
  readonly coef: Float64Array;
  readonly scores: Float64Array;
}

/**
 * Of a direction whose scores get a `shift` (k): the coefficients of Xcᵀ·B and the sums (k) of B's columns, B (n, k)
 * what the second derivative makes of those scores.
 */
export type Curvature = (
  direction: Element,
  shift: Float64Array,
) => Promise<{ readonly coef: Float64Array; readonly sums: Float64Array }>;

/** A Newton system of one column of scores. */
export interface NewtonSystem {
  /** The second derivative of each row, shape (n). */
  readonly scale: Float32Array;
  readonly penalty: number;
  /** The gradient by the weights, and by the intercept as a score. */
  readonly gradient: Float64Array;
  readonly shift: number;
}

/**
 * The training rows as a linear solver sees them, made once and used by every fit: each fold, subset, penalty and loss.
 * The columns are centred (Xc = X - mean): with a free intercept the problem is the same, and far better conditioned
 * for features that are never negative, as those after a ReLU are. Products asked for at the same time are joined into
 * one.
 */
export interface Design {
  readonly rows: number;
  /** Coefficients for each column of scores. */
  readonly size: number;
  /** Euclidean length of the column means, 0 for centred features. */
  readonly meanLength: number;
  /** Mean squared length of the centred rows. */
  readonly spread: number;
  /** Cheaper, and nearly the same: its optimum is where a fit should start. */
  readonly rough?: Design;
  /** Xc·W, shape (n, k). */
  scores(coef: Float64Array, k: number, precision: Precision): Promise<Float64Array>;
  /** The coefficients of Xcᵀ·R, R of shape (n, k); the result may be R itself. */
  adjoint(R: Float64Array, k: number, precision: Precision): Promise<Float64Array>;
  /** What stands beside `coef` in an element; float32 products. */
  beside(coef: Float64Array, k: number): Promise<Float64Array>;
  /** The curvature of a loss at one point; float32 products. */
  curvature(here: LossAt): Curvature;
  /**
   * The weights of a Newton step by factorisation, one system at a time; undefined where it is singular to rounding.
   */
  readonly direct?: (request: NewtonSystem) => Promise<Float64Array | undefined>;
  /** The inner product of two weight matrices, over all columns of scores. */
  inner(a: Pick<Element, 'coef'>, b: Element): number;
  /** An upper bound of an element's largest absolute weight; above `enough` any larger value will do as well. */
  largest(a: Element, enough: number): Promise<number>;
  /** The weights (d, k) of `coef`, float32, and the score that the column means get from them, shape (k). */
  weights(coef: Float64Array, k: number): Promise<{ weights: Matrix; meanScores: Float64Array }>;
}
