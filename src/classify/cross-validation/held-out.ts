import { matrix, selectRows } from '../../core/matrix.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import { checkAborted, checkNeighbors } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { headEntry } from '../heads/index.ts';
import { type VoteWeights, voteShares } from '../heads/votes.ts';
import { exactIndex } from '../neighbors/exact.ts';
import type { Metric, Neighbors } from '../neighbors/neighbor-index.ts';
import { alongPath } from './along-path.ts';
import type { Family } from './families.ts';
import type { FoldFeatures } from './fold-features.ts';
import { type FamilyTask, type HeldOut, problemOf, setRows, type Truth } from './family-task.ts';
import { byKernel, hasExactKernel } from './kernel-folds.ts';

/**
 * Cross-validates the plans of a family, one after the other: each fold trains on its `train` rows and answers for its
 * `val` rows. Results do not depend on the other plans of the family. Throws INTERRUPTED.
 */
export function heldOut(
  { kind, plans }: Family,
  features: FoldFeatures,
  truth: Truth,
  context?: FitContext,
): AsyncGenerator<HeldOut> {
  const task = { plans, features, y: features.ofRows(truth.y), classes: truth.classes, context };
  if (kind.startsWith('kernel') && !hasExactKernel(task)) return oneByOne(task);
  switch (kind) {
    case 'linear':
    case 'kernel-logistic':
      return alongPath(task);
    case 'kernel-ridge':
      return byKernel(task);
    case 'neighbors':
      return byNeighbors(task);
    case 'single':
      return oneByOne(task);
  }
}

/** One search for the most neighbours that any plan wants: its nearest few are those of a smaller search. */
async function* byNeighbors({ plans, features, y, classes, context }: FamilyTask): AsyncGenerator<HeldOut> {
  const { folds } = features;
  const fewest = Math.min(...folds.map(({ train }) => train.length));
  const wanted = plans.map(({ params }) => Number(params.nNeighbors));
  const most = Math.min(fewest, Math.max(...wanted));
  const found: Neighbors[] = [];
  try {
    for (const [fold, { train, val }] of folds.entries()) {
      checkAborted(context);
      const { X } = await features.view(fold, context);
      const index = exactIndex(matrixRows(selectRows(X, train)), plans[0]!.params.metric as Metric);
      found.push(await index.search(selectRows(X, val), most));
    }
  } catch (error) {
    const problem = problemOf(error);
    for (const plan of plans) yield { plan, ...problem };
    return;
  }
  for (const [at, plan] of plans.entries()) {
    const k = wanted[at]!;
    try {
      checkNeighbors(k, fewest);
    } catch (error) {
      yield { plan, ...problemOf(error) };
      continue;
    }
    const P = matrix(features.images, classes.length);
    folds.forEach(({ train, val }, fold) => {
      const labels = Int32Array.from(train, (i) => y[i]!);
      const weights = plan.params.weights as VoteWeights;
      setRows(P, val, voteShares(nearest(found[fold]!, k), labels, classes.length, weights));
    });
    yield { plan, P, converged: true, iterations: 0 };
  }
}

/** The first k of each query's neighbours. */
function nearest({ k: all, indices, distances }: Neighbors, k: number): Neighbors {
  const queries = all === 0 ? 0 : indices.length / all;
  const cut = { k, indices: new Int32Array(queries * k), distances: new Float32Array(queries * k) };
  for (let q = 0; q < queries; q++) {
    cut.indices.set(indices.subarray(q * all, q * all + k), q * k);
    cut.distances.set(distances.subarray(q * all, q * all + k), q * k);
  }
  return cut;
}

/** Heads that share nothing but the features. */
async function* oneByOne({ plans, features, y, classes, context }: FamilyTask): AsyncGenerator<HeldOut> {
  for (const plan of plans) {
    const head = headEntry(plan.name).create(plan.params);
    // On components every view is a row to train on, as for the head that `pcaHead` makes.
    const draws = head.drawsViews === true && features.pca === 0;
    const P = matrix(features.images, classes.length);
    let [converged, iterations] = [true, 0];
    try {
      for (const [fold, { train, val }] of features.folds.entries()) {
        checkAborted(context);
        const { X } = await features.view(fold, context);
        const size = draws ? train.length / features.rowsPerImage : train.length;
        const [first, ...views] = Array.from({ length: train.length / size }, (_, view) =>
          matrixRows(selectRows(X, train.slice(view * size, (view + 1) * size))),
        ) as [Rows, ...Rows[]];
        const labels = train.slice(0, size).map((i) => classes[y[i]!]!);
        // Row i of the features is a view of the image i % images.
        const images = Int32Array.from(train.slice(0, size), (i) => i % features.images);
        const fitted = await head.fit(first, labels, { ...context, views, images });
        setRows(P, val, await fitted.predictProba(selectRows(X, val)));
        converged &&= fitted.converged;
        iterations = Math.max(iterations, fitted.iterations);
      }
    } catch (error) {
      yield { plan, ...problemOf(error) };
      continue;
    }
    yield { plan, P, converged, iterations };
  }
}
