import { matrix, type Matrix, selectRows } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { linearProbabilities } from '../heads/linear.ts';
import { type Gamma, medianGamma } from '../kernels/gamma.ts';
import { kernelProducts } from '../kernels/kernel-graphs.ts';
import { kernelMatrix, kernelPanels } from '../kernels/kernel-matrix.ts';
import {
  coefficientsOf,
  kernelSystem,
  type KernelTask,
  leftOutResiduals,
  solveKernel,
  solveOne,
} from '../kernels/kernel-ridge.ts';
import { distancesOf, type SquaredDistances } from '../kernels/squared-distances.ts';
import { shiftRows } from '../linalg/vectors.ts';
import type { ClassWeight } from '../solvers/class-weights.ts';
import { type FamilyTask, type HeldOut, problemOf, setRows } from './family-task.ts';
import type { FoldFeatures } from './fold-features.ts';

/** Whether the plans' kernel is exact on every fold: else its heads are fitted one by one, on landmarks. */
export function hasExactKernel({ plans, features }: Pick<FamilyTask, 'plans' | 'features'>): boolean {
  const most = Math.max(...features.folds.map(({ train }) => train.length));
  return most <= Number(plans[0]!.params.exactRows);
}

/** Whether one kernel matrix serves all folds: where these share their features, and no fold has a width of its own. */
export const sharesKernel = ({ shared }: FoldFeatures, gamma: unknown): boolean => shared && gamma !== 'median';

/** A fold by itself. */
interface KernelFold {
  /** Of its training rows alone, as is the width. */
  readonly distances: SquaredDistances;
  readonly gamma: number;
  /** Decision values of the rows held out: of coefficients of the training rows (n, k), and an intercept (k). */
  readonly logits: (coef: Float64Array, intercept: Float64Array) => Promise<Matrix>;
}

export async function kernelFold(
  features: FoldFeatures,
  fold: number,
  given: Gamma,
  context?: FitContext,
): Promise<KernelFold> {
  const view = await features.view(fold, context);
  const { train, val } = features.folds[fold]!;
  const known = await view.distances(context);
  const distances = features.shared ? distancesOf(known, train) : known;
  const gamma = given === 'median' ? medianGamma(distances) : given;
  return {
    distances,
    gamma,
    async logits(coef, intercept) {
      const [Q, Z] = [selectRows(view.X, val), selectRows(view.X, train)];
      const sums = await kernelProducts(Q, Z, { centre: known.centre, gamma }, coef);
      return matrix(Q.rows, intercept.length, new Float32Array(shiftRows(sums, intercept, 1)));
    },
  };
}

/**
 * Kernel ridge regression, all plans of one width. Where folds share kernel and weights, one factorisation a penalty
 * serves them all (leftOutResiduals); else each fold has its own.
 */
export async function* byKernel({ plans, features, y, classes, context }: FamilyTask): AsyncGenerator<HeldOut> {
  const { params } = plans[0]!;
  const task = { y, classes: classes.length, classWeight: params.classWeight as ClassWeight };
  const alphas = plans.map((plan) => Number(plan.params.alpha));
  const found = new Map(alphas.map((alpha) => [alpha, [] as Matrix[]]));
  const problems = new Map<number, { readonly problem: string }>();
  const solve = sharesKernel(features, params.gamma) && task.classWeight === 'none' ? solveTogether : solveApart;
  try {
    for await (const { alpha, ...one } of solve(features, params.gamma as Gamma, task, alphas, context)) {
      if ('error' in one) problems.set(alpha, problemOf(one.error));
      else found.get(alpha)!.push(one.logits);
    }
  } catch (error) {
    const problem = problemOf(error);
    for (const alpha of alphas) problems.set(alpha, problem);
  }
  for (const plan of plans) {
    const alpha = Number(plan.params.alpha);
    const problem = problems.get(alpha);
    if (problem !== undefined) {
      yield { plan, ...problem };
      continue;
    }
    const P = matrix(features.images, classes.length);
    for (const [fold, logits] of found.get(alpha)!.entries())
      setRows(P, features.folds[fold]!.val, linearProbabilities(logits, new Float32Array(logits.cols)));
    yield { plan, P, converged: true, iterations: 0 };
  }
}

/** Decision values of the rows that the next fold holds out, or why there are none for a penalty. */
type Solved = AsyncGenerator<{ readonly alpha: number } & ({ readonly logits: Matrix } | { readonly error: unknown })>;

async function* solveTogether(
  features: FoldFeatures,
  gamma: Gamma,
  task: KernelTask,
  alphas: readonly number[],
  context?: FitContext,
): Solved {
  const distances = await (await features.view(0, context)).distances(context);
  const system = kernelSystem(kernelMatrix(distances, Number(gamma)), task);
  const { T, k } = system;
  for (const alpha of alphas) {
    checkAborted(context);
    try {
      const solution = await solveKernel(system, alpha);
      for (const { train, val } of features.folds) {
        // The views of an image that is held out are left out with it.
        const isKnown = new Set([...train, ...val]);
        const others = Array.from(task.y.keys()).filter((i) => !isKnown.has(i));
        const residuals = await leftOutResiduals(solution, [...val, ...others], k);
        const logits = matrix(val.length, k);
        for (let at = 0; at < logits.data.length; at++)
          logits.data[at] = T[val[Math.floor(at / k)]! * k + (at % k)]! - residuals[at]!;
        yield { alpha, logits };
      }
    } catch (error) {
      yield { alpha, error };
    }
  }
}

async function* solveApart(
  features: FoldFeatures,
  gamma: Gamma,
  task: KernelTask,
  alphas: readonly number[],
  context?: FitContext,
): Solved {
  for (const [at, { train }] of features.folds.entries()) {
    const fold = await kernelFold(features, at, gamma, context);
    const y = Int32Array.from(train, (i) => task.y[i]!);
    const system = kernelSystem(await kernelPanels(fold.distances, fold.gamma), { ...task, y });
    for (const alpha of alphas) {
      checkAborted(context);
      try {
        const coef = coefficientsOf(system, await solveOne(system, alpha, context));
        yield { alpha, logits: await fold.logits(coef, new Float64Array(system.k)) };
      } catch (error) {
        yield { alpha, error };
      }
    }
  }
}
