/**
 * Each row's second derivative by its logits, acting on a change U of them: scale · (U - the row's sum of probabilities
 * · U). Shape (k, n), class by class; float32, for an error there only costs a step.
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
 * A convex loss of logits F (n, k), row-major, summed by sample weights. Rows without weight take no part: so a fold or
 * subset is fitted on the design of all rows.
 */
export interface Loss {
  /** Columns of logits. */
  readonly k: number;
  readonly at: (F: Float64Array) => LossAt;
}
