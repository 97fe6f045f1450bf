import type { Matrix } from '../../core/matrix.ts';
import { selectRows } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { applyNormalizer, fitNormalizer, type Normalization } from '../normalize.ts';
import { applyPca, fitPca } from '../pca.ts';
import { designOf } from '../solvers/choose-design.ts';
import type { Design } from '../solvers/design.ts';
import type { TrainVal } from '../split.ts';

/** What is done to the features before the head. */
export interface FeatureSteps {
  readonly normalize: Normalization;
  /** Principal components, 0 for none. */
  readonly pca: number;
}

/** Features of all rows as one fold's head sees them. */
export interface FoldView {
  readonly X: Matrix;
  /** Of all rows where the folds share their view, else of the fold's training rows. Made when it is first asked for. */
  design(context?: FitContext): Promise<Design>;
}

/** The rows that are cross-validated, with what was learned of each fold's training part alone. */
export interface FoldFeatures {
  readonly folds: readonly TrainVal[];
  /** Whether every fold sees the same features: then one design serves all of them at once. */
  readonly shared: boolean;
  view(fold: number, context?: FitContext): Promise<FoldView>;
}

/** Values that the views of all folds may have together to be kept, 256 MiB; wider ones are made again by each family of heads. */
const MOST_KEPT = 2 ** 26;

/**
 * Features for cross-validation. What is learned of several rows (`standard`, principal components) is learned of each fold's training part:
 * a held-out row has no share in what judges it. `l2` and `none` look at one row at a time, so that all folds share one view. X is
 * kept, not copied. `parts`: columns of each part that stands side by side in X, by default one part.
 */
export function foldFeatures(
  X: Matrix,
  { normalize, pca }: FeatureSteps,
  folds: readonly TrainVal[],
  parts: readonly number[] = [X.cols],
): FoldFeatures {
  const shared = normalize !== 'standard' && pca === 0;
  const keep = shared || X.rows * (pca || X.cols) * folds.length <= MOST_KEPT;
  const views = new Map<number, Promise<FoldView>>();

  async function make(fold: number, context?: FitContext): Promise<FoldView> {
    if (shared) return viewOf(applyNormalizer(fitNormalizer(normalize, X, parts), X));
    const { train } = folds[fold]!;
    const normalized = applyNormalizer(
      fitNormalizer(normalize, normalize === 'standard' ? selectRows(X, train) : X, parts),
      X,
    );
    if (pca === 0) return viewOf(normalized, train);
    const components = await fitPca(selectRows(normalized, train), pca, context);
    return viewOf(await applyPca(components, normalized), train);
  }

  return {
    folds,
    shared,
    view(fold, context) {
      const key = shared ? 0 : fold;
      let view = views.get(key);
      if (view === undefined) {
        view = make(key, context);
        if (keep) views.set(key, view);
        // An aborted or failed start must not be remembered.
        view.catch(() => views.delete(key));
      }
      return view;
    },
  };
}

function viewOf(X: Matrix, rows?: readonly number[]): FoldView {
  let made: Promise<Design> | undefined;
  return {
    X,
    design(context) {
      made ??= designOf(rows === undefined ? X : selectRows(X, rows), context).catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      return made;
    },
  };
}
