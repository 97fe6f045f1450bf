import { selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import type { FitContext, FittedHead, Head } from '../head.ts';
import { applyNormalizer, fitNormalizer, learnsOfRows, type Normalization, type Normalizer } from '../normalize.ts';
import { fitOnViews } from '../on-views.ts';

/** Training rows in memory, and what is done to them before a head. */
export interface TrainingRows {
  /** Features, shape (n, d), not normalised; and the class name of each row. */
  readonly X: Matrix;
  readonly labels: readonly string[];
  readonly normalize: Normalization;
  /** Widths of what stands side by side in X, each normalised by itself; default: all columns are one. */
  readonly parts?: readonly number[];
  /** Other views of the same images, row by row, to train on too: a head sees those of its own rows alone. */
  readonly views?: readonly Matrix[];
}

/** Some rows of a matrix, not copied, and the class name of each. */
export interface RowsOf {
  readonly X: Matrix;
  readonly rows: readonly number[];
  readonly labels: readonly string[];
}

/** Rows as a head that is fitted on some of them gets them: what a normalisation learns is learned of those alone. */
export interface SeenRows {
  /** Those that it is fitted on. */
  readonly own: RowsOf;
  /** Any of the rows, a new matrix. */
  seen(rows: readonly number[]): Matrix;
}

/** A head that was fitted on some of the rows. */
export interface Refit extends SeenRows {
  readonly head: FittedHead;
}

/** Fits of one kind of head on parts of the same rows, for what is judged out of fold. */
export interface PartFits {
  readonly labels: readonly string[];
  /** Whether fits share their work: then those asked for at the same time cost less. */
  readonly shared: boolean;
  /** On some rows: the head, and any of the rows as it would see them. Throws as `Head.fit`. */
  on(rows: readonly number[]): Promise<Pick<Refit, 'head' | 'seen'>>;
}

/** Fits of one kind of head on any of the same rows. */
export interface Refits extends PartFits {
  /** Learned of all rows, and all rows as it makes them. */
  readonly normalizer: Normalizer;
  readonly normalized: Matrix;
  /** On all rows: to the byte what `Head.fit` gives. */
  whole(): Promise<FittedHead>;
  /** On some rows. Throws as `Head.fit`. */
  on(rows: readonly number[]): Promise<Refit>;
  /** What `on` would fit on, and how it would see others, without a fit. */
  seenBy(rows: readonly number[]): Promise<SeenRows>;
}

/**
 * Prepares fits of `maker` on parts of rows. What is done row by row (`l2`, `sqrt`, `none`) is done once for all of
 * them; heads that can share their products (Head.prepare). `normalized`: all rows, where the caller has them. Throws
 * FIT_INVALID, INTERRUPTED.
 */
export async function refitsOf(
  maker: Head,
  { X, labels, normalize, parts = [X.cols], views = [] }: TrainingRows,
  { context, known }: { readonly context?: FitContext | undefined; readonly known?: Matrix | undefined } = {},
): Promise<Refits> {
  const learn = (rows: Matrix): Promise<Normalizer> => fitNormalizer(normalize, matrixRows(rows), parts);
  const normalizer = await learn(X);
  const normalized = known ?? applyNormalizer(normalizer, X);
  const byRow = !learnsOfRows(normalize);
  const normalizedViews = views.map((view) => applyNormalizer(normalizer, view));
  const shares = maker.prepare !== undefined && byRow && views.length === 0;
  const prepared = shares ? await maker.prepare!(normalized, context) : undefined;
  const all = labels.map((_, i) => i);
  const labelsOf = (rows: readonly number[]): string[] => rows.map((i) => labels[i]!);

  /** As `seenBy`, with the views of the rows. */
  async function partOf(rows: readonly number[]): Promise<SeenRows & { readonly views: () => Matrix[] }> {
    const own = labelsOf(rows);
    if (byRow)
      return {
        own: { X: normalized, rows, labels: own },
        seen: (some) => selectRows(normalized, some),
        views: () => normalizedViews.map((view) => selectRows(view, rows)),
      };
    const chosen = selectRows(X, rows);
    const learned = await learn(chosen);
    return {
      own: { X: applyNormalizer(learned, chosen), rows: rows.map((_, i) => i), labels: own },
      seen: (some) => applyNormalizer(learned, selectRows(X, some)),
      views: () => views.map((view) => applyNormalizer(learned, selectRows(view, rows))),
    };
  }

  return {
    labels,
    normalizer,
    normalized,
    shared: prepared !== undefined,
    whole: () =>
      prepared
        ? prepared(all, labels)
        : fitOnViews(maker, matrixRows(normalized), normalizedViews.map(matrixRows), labels, context),
    seenBy: partOf,
    async on(rows) {
      const { views: ownViews, ...part } = await partOf(rows);
      if (prepared !== undefined) return { ...part, head: await prepared(rows, labelsOf(rows)) };
      // What was normalised for these rows alone is theirs in full.
      const known = byRow ? selectRows(normalized, rows) : part.own.X;
      const head = await fitOnViews(maker, matrixRows(known), ownViews().map(matrixRows), labelsOf(rows), context);
      return { ...part, head };
    },
  };
}

/** Fits on each part of the rows in turn; those that share their work are made at the same time. */
export async function* fitsOn<R>(
  refits: { readonly shared: boolean; on(rows: readonly number[]): Promise<R> },
  parts: readonly (readonly number[])[],
): AsyncGenerator<R> {
  if (refits.shared) yield* await Promise.all(parts.map((rows) => refits.on(rows)));
  else for (const rows of parts) yield await refits.on(rows);
}
