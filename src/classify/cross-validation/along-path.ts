import { matrix, type Matrix, row, selectRows } from '../../core/matrix.ts';
import { linearProbabilities } from '../heads/linear.ts';
import type { Gamma } from '../kernels/gamma.ts';
import { kernelDesign } from '../kernels/kernel-design.ts';
import { times } from '../linalg/times.ts';
import type { ClassWeight } from '../solvers/class-weights.ts';
import type { Design } from '../solvers/design.ts';
import { type LinearFit, fitLinear, linearWeights } from '../solvers/linear-fit.ts';
import type { LinearTask } from '../solvers/linear-problems.ts';
import { type HeadPlan, LOSSES, strengthOf } from './families.ts';
import { type FamilyTask, type HeldOut, problemOf, setRows } from './family-task.ts';
import { kernelFold, sharesKernel } from './kernel-folds.ts';

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
export async function* alongPath({ plans, features, y, classes, context }: FamilyTask): AsyncGenerator<HeldOut> {
  const { name, params } = plans[0]!;
  const { folds } = features;
  const isKernel = name === 'kernel-logistic';
  const gamma = params.gamma as Gamma;
  const shared = isKernel ? sharesKernel(features, gamma) : features.shared;
  const known = new Map<string, Promise<LinearFit>>();
  const together = new Map<number, Promise<LinearFit[]>>();
  const taskOf = (train: readonly number[]): LinearTask => ({
    loss: LOSSES[name]!,
    // A shared design has all rows, of which the fold's count; a fold's own has no others.
    ...(shared ? { y, rows: train } : { y: Int32Array.from(train, (i) => y[i]!) }),
    classes: classes.length,
    classWeight: params.classWeight as ClassWeight,
  });

  /** A fold's own kernel: that of the fold asked for last is kept. */
  const ownKernel = lastMade(async (fold: number) => {
    const own = await kernelFold(features, fold, gamma, context);
    return { ...own, design: kernelDesign(own.distances, own.gamma) };
  });
  const sharedKernel = lastMade(async () =>
    kernelDesign(await (await features.view(0, context)).distances(context), Number(gamma)),
  );
  async function designOf(fold: number): Promise<Design> {
    if (!isKernel) return (await features.view(fold, context)).design(context);
    return shared ? sharedKernel(0) : (await ownKernel(fold)).design;
  }

  async function solve(fold: number, C: number, start: LinearFit | undefined): Promise<LinearFit> {
    const stop = { C, tol: Number(params.tol), maxIter: Number(params.maxIter) };
    return fitLinear(await designOf(fold), taskOf(folds[fold]!.train), stop, start, context);
  }

  /** All folds set out together: what joins in a product must not depend on what was fitted before. */
  async function solveTogether(C: number): Promise<LinearFit[]> {
    const decade = decadeBelow(C);
    const starts = decade === undefined ? undefined : await fitsAt(decade);
    return Promise.all(folds.map((_, fold) => solve(fold, C, starts?.[fold])));
  }

  function fitsAt(C: number): Promise<LinearFit[]> {
    const found = together.get(C) ?? solveTogether(C);
    together.set(C, found);
    return found;
  }

  async function solveApart(fold: number, C: number): Promise<LinearFit> {
    const decade = decadeBelow(C);
    return solve(fold, C, decade === undefined ? undefined : await fitAt(fold, decade));
  }

  async function fitAt(fold: number, C: number): Promise<LinearFit> {
    if (shared) return (await fitsAt(C))[fold]!;
    const key = `${fold} ${C}`;
    const found = known.get(key) ?? solveApart(fold, C);
    known.set(key, found);
    return found;
  }

  /** Probabilities of the rows that a fold holds out. */
  async function answers(fold: number, fit: LinearFit): Promise<Matrix> {
    const { val } = folds[fold]!;
    if (!shared) {
      const { weights, intercept } = await linearWeights(await designOf(fold), fit);
      if (isKernel) {
        const { logits } = await ownKernel(fold);
        const own = await logits(new Float64Array(weights.data), new Float64Array(intercept));
        return linearProbabilities(own, new Float32Array(fit.k));
      }
      const { X } = await features.view(fold, context);
      return linearProbabilities(await times(selectRows(X, val), weights), intercept);
    }
    const logits = matrix(val.length, fit.k);
    val.forEach((i, v) => row(logits, v).set(fit.logits.subarray(i * fit.k, (i + 1) * fit.k)));
    return linearProbabilities(logits, new Float32Array(fit.k));
  }

  /** A plan's answers for a fold, and how its fit ended. */
  const judge = async (fold: number, plan: HeadPlan) => {
    const fit = await fitAt(fold, strengthOf(plan));
    return { P: await answers(fold, fit), converged: fit.converged, iterations: fit.iterations };
  };
  const judged = new Map<HeadPlan, Awaited<ReturnType<typeof judge>>[] | { readonly problem: string }>();
  /** Adds a fold to what is known of a plan, unless that failed. */
  async function addFold(fold: number, plan: HeadPlan): Promise<void> {
    const before = judged.get(plan) ?? [];
    if (!Array.isArray(before)) return;
    const one = await judge(fold, plan).catch(problemOf);
    judged.set(plan, 'problem' in one ? one : [...before, one]);
  }
  // Of a kernel of its own all penalties are fitted while it is there.
  if (isKernel && !shared) for (const fold of folds.keys()) for (const plan of plans) await addFold(fold, plan);

  for (const plan of plans) {
    if (!judged.has(plan)) {
      for (const fold of folds.keys()) await addFold(fold, plan);
    }
    const found = judged.get(plan)!;
    if (!Array.isArray(found)) {
      yield { plan, ...found };
      continue;
    }
    const P = matrix(features.images, classes.length);
    for (const [fold, { val }] of folds.entries()) setRows(P, val, found[fold]!.P);
    yield {
      plan,
      P,
      converged: found.every(({ converged }) => converged),
      iterations: Math.max(...found.map(({ iterations }) => iterations)),
    };
  }
}

/** Keeps what was made last. */
function lastMade<T>(make: (of: number) => Promise<T>): (of: number) => Promise<T> {
  let last: { readonly of: number; readonly made: Promise<T> } | undefined;
  return (of) => {
    if (last?.of !== of) last = { of, made: make(of) };
    return last.made;
  };
}
