import type { Matrix } from '../core/matrix.ts';
import type { Rows } from '../core/rows.ts';

/**
 * Learning by epochs, one number an epoch. Losses are mean cross-entropies (natural logarithm): `loss` and `accuracy`
 * of the training rows as they were met, `val...` after the epoch of the rows held out by early stopping.
 */
export interface LearningCurve {
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly valLoss?: readonly number[];
  readonly valAccuracy?: readonly number[];
}

/**
 * Learns class names from features. `fit` never changes its input and returns a new FittedHead. The same input, options
 * and seed give the same bytes.
 */
export interface Head {
  readonly name: string;
  /** All options, resolved. */
  readonly params: Readonly<Record<string, number | string | boolean>>;
  /** True of heads that learn by epochs: given `context.views`, each epoch meets every row in one view, drawn anew. */
  readonly drawsViews?: true;
  /** True of heads that hold a part of the rows out to watch: image by image (FitContext.images). */
  readonly holdsOut?: boolean;
  /** Why a head cannot be fitted on rows in blocks: its `fit` throws FIT_INVALID for them. */
  readonly inMemoryOnly?: string;
  /** Peak bytes of `fit` on top of the rows in memory, or of the block; without it, few. */
  bytesOf?(shape: RowsShape & { readonly inMemory: boolean }): number;
  /**
   * `rows`: (n, d) float32, one row an image, in memory or in blocks; y: n class names. Throws FIT_INVALID on NaN or
   * infinite features, lengths that differ, fewer than two classes; INTERRUPTED; what reading throws.
   */
  fit(rows: Rows, y: readonly string[], context?: FitContext): Promise<FittedHead>;
  /** Prepares X (n, d) for fits on parts of its rows that share work. Throws FIT_INVALID, INTERRUPTED. */
  prepare?(X: Matrix, context?: FitContext): Promise<PreparedFit>;
}

/** How large rows are, in memory or not. */
export type RowsShape = Pick<Rows, 'rows' | 'cols'>;

/** `fit` on some of the prepared rows, y their class names: the same optimum to `tol`. Throws as `fit`. */
export type PreparedFit = (rows: readonly number[], y: readonly string[]) => Promise<FittedHead>;

/** What a fit takes besides rows and labels. */
export interface FitContext {
  /** Stops the fit, which then throws INTERRUPTED. */
  readonly signal?: AbortSignal;
  /**
   * For heads that draw views: the same images in other views, row by row and in the same blocks. For other heads views
   * are rows like others (on-views.ts).
   */
  readonly views?: readonly Rows[];
  /**
   * Where several rows are of one image, such as its views: a number for each row, shape (n), the same for those rows.
   * What a head holds out of its rows, it holds out image by image. By default rows with equal features are one image.
   */
  readonly images?: Int32Array;
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
  /** Probability of each class (n, classes.length), rows sum to 1. Throws FIT_INVALID for X of another width. */
  predictProba(X: Matrix): Promise<Matrix>;
  /**
   * Logits or decision values whose softmax predictProba gives, shape (n, classes.length); one column s for two classes
   * gives the second the probability 1 / (1 + exp(-s)). Throws as predictProba.
   */
  logits?(X: Matrix): Promise<Matrix>;
  /**
   * Of a head whose probabilities are scaled (heads/scaled-head.ts): those of `predictProba` are softmax(ln P /
   * temperature), logits are divided by it. Kept beside the state, not in it.
   */
  readonly temperature?: number;
  /** Of heads whose rows vote: the share that scaling adds to every class', so that one without votes is possible. */
  readonly leastShare?: number;
  /** Whether the state lacks the training rows: `loadHead` needs them again, and each answer reads them. */
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
