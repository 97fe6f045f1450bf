/**
 * The second derivative of each row's loss by its logits, as it acts on a change U of them: scale · (U - each row's sum
 * of probabilities · U), value by value. Class by class, shape (k, n), float32: a Hessian that is off in the seventh
 * digit only costs a step.
 */
export interface PointwiseHessian {
  readonly scale: Float32Array;
  /** Undefined where the columns of a row do not meet. */
  readonly probabilities?: Float32Array;
}

/** A loss at one set of logits. */
export interface LossAt {
  /** Weighted sum of the rows' losses. */
  readonly value: number;
  /** Its derivative by each logit, shape (n, k). */
  readonly residuals: Float64Array;
  /** Its second derivative applied to a change U of the logits, shape (n, k). */
  readonly hessian: (U: Float64Array) => Float64Array;
  /** The same for products that the runtime makes. */
  readonly pointwiseHessian: () => PointwiseHessian;
}

/**
 * A convex loss of logits F (n, k), row-major, summed over the rows by their sample weights. A row without weight takes
 * no part: that is how a fold or a subset is fitted on the design of all rows.
 */
export interface Loss {
  /** Columns of logits. */
  readonly k: number;
  readonly at: (F: Float64Array) => LossAt;
}
