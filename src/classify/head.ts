import type { Matrix } from '../core/matrix.ts';
import type { RowSource } from '../core/row-source.ts';

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
   * X: (n, d) float32, one row an image; y: n class names. Throws FIT_INVALID on NaN or infinite features, lengths that
   * differ, fewer than two classes.
   */
  fit(X: Matrix, y: readonly string[], context?: FitContext): Promise<FittedHead>;
  /**
   * Of heads whose fits on parts of the same rows share work, such as a Gram matrix: prepares X (n, d) for them. Throws
   * FIT_INVALID, INTERRUPTED.
   */
  prepare?(X: Matrix, context?: FitContext): Promise<PreparedFit>;
  /** Whether what `fitStream` gives needs the rows again when it predicts. */
  readonly keepsRows?: boolean;
  /** Bytes that `fitStream` keeps of the rows beside the block that it reads; without it, none. */
  readonly streamBytes?: (source: Pick<RowSource, 'rows' | 'cols'>) => number;
  /**
   * Of heads that can: `fit` on rows that are read block by block, y in their order; `views` as in the context of
   * `fit`, of heads that draw views, in the same blocks. Throws as `fit`, and what reading throws.
   */
  fitStream?(
    source: RowSource,
    y: readonly string[],
    context?: Pick<FitContext, 'signal'>,
    views?: readonly RowSource[],
  ): Promise<FittedHead>;
}

/**
 * `fit` on some of the prepared rows, y their class names: the same optimum, to the head's tolerance. Throws as `fit`.
 */
export type PreparedFit = (rows: readonly number[], y: readonly string[]) => Promise<FittedHead>;

export interface FitContext {
  readonly signal?: AbortSignal;
  /**
   * For heads that draw views: other views of the same images, each of the shape of X, row i of the image of row i.
   * Views that other heads train on are rows of X (on-views.ts).
   */
  readonly views?: readonly Matrix[];
}

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
   * Of heads that have them: the scores whose softmax predictProba gives, shape (n, classes.length); with one column s
   * for two classes the second has the probability 1 / (1 + exp(-s)). Throws as predictProba.
   */
  scores?(X: Matrix): Promise<Matrix>;
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
