/**
 * A second derivative by the scores as it acts on a change U of them: scale · (U - each row's sum of shares · U), value
 * by value. Class by class, shape (k, n), float32: curvature that is off in the seventh digit only costs a step.
 */
export interface Bend {
  readonly scale: Float32Array;
  /** Undefined where the columns of a row do not meet. */
  readonly shares?: Float32Array;
}

/** A loss at one set of scores. */
export interface LossAt {
  /** Weighted mean of the rows' losses. */
  readonly loss: number;
  /** Its derivative by each score, shape (n, k). */
  readonly residuals: Float64Array;
  /** Its second derivative applied to a change U of the scores, shape (n, k). */
  readonly curvature: (U: Float64Array) => Float64Array;
  /** The same for products that the runtime makes. */
  readonly bend: () => Bend;
}

/**
 * A convex loss of scores F (n, k), row-major, averaged over the rows by their shares, which sum to 1. A row whose
 * share is 0 takes no part: that is how a fold or a subset is fitted on the design of all rows.
 */
export interface Loss {
  /** Columns of scores. */
  readonly k: number;
  /**
   * How much of the objective at most may be above its least for a fit to count as converged, whatever the gradient;
   * undefined where the gradient alone tells, as in scikit-learn.
   */
  readonly mostGap?: number;
  /** The loss alone, where nothing else of `at` is asked for. */
  value(F: Float64Array): number;
  at(F: Float64Array): LossAt;
}

/** A loss that is taken apart by rows. */
export interface LossByParts extends Pick<Loss, 'k'> {
  /** The part of rows [from, to), on scores of these alone: values and derivatives of all parts make up the whole. */
  part(from: number, to: number): Loss;
}

/** A loss that can be taken whole or apart. */
export type LossInParts = Loss & LossByParts;
