import { type Matrix, selectRows, stacked } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import type { FitContext, Head, RowsShape } from '../head.ts';
import { type SquaredDistances, squaredDistances } from '../kernels/squared-distances.ts';
import { applyNormalizer, fitNormalizer, learnsOfRows, type Normalization } from '../normalize.ts';
import { applyPca, fitPca } from '../pca.ts';
import { designOf } from '../solvers/choose-design.ts';
import type { Design } from '../solvers/design.ts';
import type { TrainVal } from '../evaluate/split.ts';

/** What is done to the features before the head. */
export interface FeatureSteps {
  readonly normalize: Normalization;
  /** Principal components, 0 for none. */
  readonly pca: number;
}

/** Features of all rows as one fold's head sees them. */
export interface FoldView {
  readonly X: Matrix;
  /** Of all rows where folds share their view, else of the fold's training rows. Made on demand. */
  design(context?: FitContext): Promise<Design>;
  /** Between the same rows as the design's. Made on demand. */
  distances(context?: FitContext): Promise<SquaredDistances>;
}

/** The rows that are cross-validated, with what was learned of each fold's training part alone. */
export interface FoldFeatures {
  /**
   * Row i is image i, row v · images + i its view v. `train` has the fold's images and all their views, view by view,
   * `val` images alone: no head sees a view of an image that it is judged on.
   */
  readonly folds: readonly TrainVal[];
  readonly images: number;
  /** Rows of each image: 1 without views. */
  readonly rowsPerImage: number;
  /** Principal components, 0 for none. */
  readonly pca: number;
  /** Whether every fold sees the same features: then one design serves all of them at once. */
  readonly shared: boolean;
  /** Classes of all rows: those of the images, shape (images), once for each of its rows. */
  ofRows(y: Int32Array): Int32Array;
  view(fold: number, context?: FitContext): Promise<FoldView>;
}

/** Default for the values of all folds' views that are kept, 256 MiB; larger ones are made again. */
export const MOST_KEPT = 2 ** 26;

/**
 * Features for cross-validation. `standard`, `power` and principal components are learned of each fold's training part;
 * the others work row by row, so that all folds share one view. X (n, d), one row an image, is not copied. `parts`:
 * columns of each part of X, by default one. `views`: other views of the images, each (n, d), to train on;
 * normalisation is learned of the images alone, components of all rows.
 */
export function foldFeatures(
  X: Matrix,
  { normalize, pca }: FeatureSteps,
  split: readonly TrainVal[],
  {
    parts = [X.cols],
    views = [],
    mostKept = MOST_KEPT,
  }: { readonly parts?: readonly number[]; readonly views?: readonly Matrix[]; readonly mostKept?: number } = {},
): FoldFeatures {
  const shared = !learnsOfRows(normalize) && pca === 0;
  const rowsPerImage = 1 + views.length;
  const all = views.length === 0 ? X : stacked([X, ...views]);
  const folds = split.map(({ train, val }) => ({
    train: Array.from({ length: rowsPerImage }, (_, view) => train.map((i) => view * X.rows + i)).flat(),
    val,
  }));
  const keep = shared || all.rows * (pca || X.cols) * folds.length <= mostKept;
  const made = new Map<number, Promise<FoldView>>();

  async function make(fold: number, context?: FitContext): Promise<FoldView> {
    if (shared) return viewOf(applyNormalizer(await fitNormalizer(normalize, matrixRows(X), parts), all));
    const { train } = folds[fold]!;
    const learnedOf = learnsOfRows(normalize) ? selectRows(X, split[fold]!.train) : X;
    const normalized = applyNormalizer(await fitNormalizer(normalize, matrixRows(learnedOf), parts), all);
    if (pca === 0) return viewOf(normalized, train);
    const components = await fitPca(matrixRows(selectRows(normalized, train)), pca, context);
    return viewOf(await applyPca(components, normalized), train);
  }

  return {
    folds,
    images: X.rows,
    rowsPerImage,
    pca,
    shared,
    ofRows: (y) => Int32Array.from({ length: rowsPerImage * X.rows }, (_, at) => y[at % X.rows]!),
    view(fold, context) {
      const key = shared ? 0 : fold;
      let view = made.get(key);
      if (view === undefined) {
        view = make(key, context);
        if (keep) made.set(key, view);
        // An aborted or failed start must not be remembered.
        view.catch(() => made.delete(key));
      }
      return view;
    },
  };
}

/** Bytes on top of features of (images, cols): stacked and normalised rows, kept views, one fold's fit. */
export function foldBytes(
  { images, cols, views, normalize, pca }: FeatureSteps & Record<'images' | 'cols' | 'views', number>,
  folds: number,
  head: Pick<Head, 'bytesOf'>,
  mostKept: number,
): number {
  const rows = images * (1 + views);
  const values = rows * cols;
  const stackedBytes = views > 0 ? 4 * values : 0;
  const fitBytes = (shape: RowsShape): number => head.bytesOf?.({ ...shape, inMemory: true }) ?? 0;
  // Normalised, and the rows of one fold that a head takes by itself.
  if (!learnsOfRows(normalize) && pca === 0)
    return stackedBytes + 8 * values + (normalize === 'none' ? 4 * values : 0) + fitBytes({ rows, cols });
  const trained = Math.ceil((rows * (folds - 1)) / folds);
  const width = pca || cols;
  const view = 4 * rows * width + 4 * trained * width + fitBytes({ rows: trained, cols: width });
  const kept = rows * width * folds <= mostKept ? folds : 1;
  // What a normalisation is learned of; for components also normalised rows, the training part, and finding them.
  const making = 4 * values + (pca > 0 ? 4 * values + 12 * trained * Math.min(cols, 8192) : 0);
  return stackedBytes + kept * view + making;
}

function viewOf(X: Matrix, rows?: readonly number[]): FoldView {
  const own = (): Matrix => (rows === undefined ? X : selectRows(X, rows));
  return {
    X,
    design: madeOnce((context) => designOf(own(), context)),
    distances: madeOnce((context) => squaredDistances(matrixRows(own()), context)),
  };
}

/** What `make` gives, made when it is asked for first; a failed or aborted start is not remembered. */
function madeOnce<T>(make: (context?: FitContext) => Promise<T>): (context?: FitContext) => Promise<T> {
  let made: Promise<T> | undefined;
  return (context) => {
    made ??= make(context).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
