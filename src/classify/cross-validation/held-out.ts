import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, matrix, row, selectRows } from '../../core/matrix.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import { checkAborted, checkNeighbors } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { headEntry } from '../heads/index.ts';
import { linearProbabilities } from '../heads/linear.ts';
import { type VoteWeights, voteShares } from '../heads/votes.ts';
import { times } from '../linalg/times.ts';
import { exactIndex } from '../neighbors/exact.ts';
import type { Metric, Neighbors } from '../neighbors/neighbor-index.ts';
import { type LinearFit, fitLinear, linearWeights } from '../solvers/linear-fit.ts';
import type { LinearTask } from '../solvers/linear-problems.ts';
import type { ClassWeight } from '../solvers/class-weights.ts';
import { type Family, type HeadPlan, LOSSES, strengthOf } from './families.ts';
import type { FoldFeatures } from './fold-features.ts';

/** The images' classes. */
export interface Truth {
  /** Class index of each image, shape (n). */
  readonly y: Int32Array;
  readonly classes: readonly string[];
}

/** What a plan says of rows that it did not see, or why it could not be fitted. */
export type HeldOut =
  | {
      readonly plan: HeadPlan;
      /** Shape (n, classes). */
      readonly P: Matrix;
      readonly converged: boolean;
      /** The most of any fold. */
      readonly iterations: number;
    }
  | { readonly plan: HeadPlan; readonly problem: string };

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
  switch (kind) {
    case 'linear':
      return alongPath(task);
    case 'neighbors':
      return byNeighbors(task);
    case 'single':
      return oneByOne(task);
  }
}

/** A family's plans, and the class of each row of the features. */
interface FamilyTask extends Truth {
  readonly plans: readonly HeadPlan[];
  readonly features: FoldFeatures;
  readonly context: FitContext | undefined;
}

/** Sets the rows that a fold holds out. */
function setRows(P: Matrix, val: readonly number[], answers: Matrix): void {
  val.forEach((i, v) => row(P, i).set(row(answers, v)));
}

/** Linear fits from here on start from the optimum of the next smaller power of ten. */
const FIRST_DECADE = -2;

/** The power of ten below C that C's fits start from, undefined for the first ones. */
function decadeBelow(C: number): number | undefined {
  const exponent = Math.ceil(Math.log10(C) - 1e-9) - 1;
  return exponent < FIRST_DECADE ? undefined : Number(`1e${exponent}`);
}

/**
 * All folds of a penalty are fitted at once where they share a design. Each starts from the optimum of the power of ten
 * below its C: a start from a neighbour in the grid would let the last digits depend on the grid.
 */
async function* alongPath({ plans, features, y, classes, context }: FamilyTask): AsyncGenerator<HeldOut> {
  const { name, params } = plans[0]!;
  const { folds, shared } = features;
  const known = new Map<number, Promise<LinearFit[]>>();
  const taskOf = (train: readonly number[]): LinearTask => ({
    loss: LOSSES[name]!,
    // A shared design has all rows, of which the fold's count; a fold's own has no others.
    ...(shared ? { y, rows: train } : { y: Int32Array.from(train, (i) => y[i]!) }),
    classes: classes.length,
    classWeight: params.classWeight as ClassWeight,
  });

  async function solve(C: number): Promise<LinearFit[]> {
    const decade = decadeBelow(C);
    const starts = decade === undefined ? undefined : await fitsAt(decade);
    const stop = { C, tol: Number(params.tol), maxIter: Number(params.maxIter) };
    const fit = async (fold: number): Promise<LinearFit> => {
      const design = await (await features.view(fold, context)).design(context);
      return fitLinear(design, taskOf(folds[fold]!.train), stop, starts?.[fold], context);
    };
    if (shared) return Promise.all(folds.map((_, fold) => fit(fold)));
    const fits: LinearFit[] = [];
    for (let fold = 0; fold < folds.length; fold++) fits.push(await fit(fold));
    return fits;
  }

  function fitsAt(C: number): Promise<LinearFit[]> {
    const found = known.get(C) ?? solve(C);
    known.set(C, found);
    return found;
  }

  /** Probabilities of the rows that a fold holds out. */
  async function answers(fold: number, fit: LinearFit): Promise<Matrix> {
    const { val } = folds[fold]!;
    const view = await features.view(fold, context);
    if (!shared) {
      const { weights, intercept } = await linearWeights(await view.design(context), fit);
      return linearProbabilities(await times(selectRows(view.X, val), weights), intercept);
    }
    const logits = matrix(val.length, fit.k);
    val.forEach((i, v) => row(logits, v).set(fit.logits.subarray(i * fit.k, (i + 1) * fit.k)));
    return linearProbabilities(logits, new Float32Array(fit.k));
  }

  for (const plan of plans) {
    const fits = await fitsAt(strengthOf(plan)).catch(problemOf);
    if (!Array.isArray(fits)) {
      yield { plan, ...fits };
      continue;
    }
    const P = matrix(features.images, classes.length);
    for (const [fold, { val }] of folds.entries()) setRows(P, val, await answers(fold, fits[fold]!));
    yield {
      plan,
      P,
      converged: fits.every(({ converged }) => converged),
      iterations: Math.max(...fits.map(({ iterations }) => iterations)),
    };
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

/** What keeps one plan from being fitted is a result; any other error ends the work. */
function problemOf(error: unknown): { problem: string } {
  if (error instanceof PermafrostError && ['FIT_INVALID', 'PACKAGE_MISSING'].includes(error.code))
    return { problem: error.message };
  throw error;
}
