import type { Matrix } from '../core/matrix.ts';
import type { Rows } from '../core/rows.ts';

/**
 * How a head came to learn, one number an epoch. Losses are mean cross-entropies (natural logarithm); `loss` and
 * `accuracy` are those of the training rows as they were met, `val...` those of the rows that early stopping held out,
 * after the epoch.
 */
export interface LearningCurve {
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly valLoss?: readonly number[];
  readonly valAccuracy?: readonly number[];
}

/**
 * A head learns class names from features. `fit` never changes its input and returns a new FittedHead: there is no
 * "not fitted" state. The same input, options and seed give the same bytes.
 */
export interface Head {
  readonly name: string;
  /** All options, resolved. */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** True of heads that learn by epochs: given `context.views`, each epoch meets every row in one view, drawn anew. */
  readonly drawsViews?: true;
  /**
   * Of heads that cannot be fitted on rows that are read in blocks: why. Their `fit` throws FIT_INVALID for such rows.
   */
  readonly inMemoryOnly?: string;
  /**
   * Bytes that `fit` takes at its peak beside the rows, which are in memory, or beside the block that is; without it,
   * few.
   */
  bytesOf?(shape: RowsShape & { readonly inMemory: boolean }): number;
  /**
   * `rows`: (n, d) float32, one row an image, in memory or in blocks; y: n class names. Throws FIT_INVALID on NaN or
   * infinite features, lengths that differ, fewer than two classes; INTERRUPTED; what reading throws.
   */
  fit(rows: Rows, y: readonly string[], context?: FitContext): Promise<FittedHead>;
  /**
   * Of heads whose fits on parts of the same rows share work, such as a Gram matrix: prepares X (n, d) for them. Throws
   * FIT_INVALID, INTERRUPTED.
   */
  prepare?(X: Matrix, context?: FitContext): Promise<PreparedFit>;
}

/** How large rows are, in memory or not. */
export type RowsShape = Pick<Rows, 'rows' | 'cols'>;

/**
 * `fit` on some of the prepared rows, y their class names: the same optimum, to the head's tolerance. Throws as `fit`.
 */
export type PreparedFit = (rows: readonly number[], y: readonly string[]) => Promise<FittedHead>;

/** What a fit takes beside rows and labels. */
export interface FitContext {
  /** Stops the fit, which then throws INTERRUPTED. */
  readonly signal?: AbortSignal;
  /**
   * For heads that draw views: other views of the same images, row i of the image of row i, in the same blocks. Views
   * that other heads train on are rows like others (on-views.ts).
   */
  readonly views?: readonly Rows[];
}

/** A head that has learned. */
export interface FittedHead {
  readonly name: string;
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** Class names in sorted order: the column order of predictProba. */
  readonly classes: readonly string[];
  /** Width of the features that it was fitted on. */
  readonly features: number;
  readonly converged: boolean;
  /** Iterations (logistic), epochs (softmax), or 0 where there is nothing to iterate. */
  readonly iterations: number;
  /** Of heads that learn by epochs: its arrays have `iterations` numbers. */
  readonly learningCurve?: LearningCurve;
  /** What the head wants said: recall of an index, why it did not converge. */
  readonly notes: readonly string[];
  /**
   * Probability of each class, shape (n, classes.length), each row sums to 1. Throws FIT_INVALID when X has another
   * width.
   */
  predictProba(X: Matrix): Promise<Matrix>;
  /**
   * Of heads that have them: the logits, or decision values, whose softmax predictProba gives, shape (n,
   * classes.length); with one column s for two classes the second has the probability 1 / (1 + exp(-s)). Throws as
   * predictProba.
   */
  logits?(X: Matrix): Promise<Matrix>;
  /**
   * True of heads whose state has not their training rows: `loadHead` needs these again, and each answer reads them.
   */
  readonly leavesRows?: boolean;
  /** Everything needed to make the same fitted head again with `loadHead` (heads/index.ts). */
  readonly state: HeadState;
}

/** A fitted head as data: JSON values and named float32 or int32 tensors. */
export interface HeadState {
  readonly json: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
  >;
}
