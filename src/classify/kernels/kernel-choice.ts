import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { kernelMatrix } from './kernel-matrix.ts';
import {
  kernelSystem,
  leaveOneOutResiduals,
  leftOutResiduals,
  solveKernel,
  type KernelSolution,
  type KernelTask,
} from './kernel-ridge.ts';
import type { SquaredDistances } from './squared-distances.ts';

/** What is chosen from: every pair is tried. */
export interface KernelGrid {
  readonly gammas: readonly number[];
  readonly alphas: readonly number[];
}

/** The pair of the least error. */
export interface KernelChoice extends KernelGrid {
  /** Mean squared leave-one-out error of each pair, errors times the root of the row's weight: a list a gamma. */
  readonly errors: readonly (readonly number[])[];
  readonly gamma: number;
  readonly alpha: number;
}

/**
 * Solves every pair in closed form, one factorisation each. The least squared leave-one-out error wins, of equal ones
 * the first. `images`: the image of each row (n); all rows of one are left out together. Throws FIT_INVALID where a
 * system is singular to rounding, INTERRUPTED.
 */
export async function chooseByLeaveOneOut(
  distances: SquaredDistances,
  task: KernelTask,
  grid: KernelGrid,
  images: Int32Array,
  context?: FitContext,
): Promise<KernelChoice> {
  const several = rowsOfImages(images).filter((rows) => rows.length > 1);
  const errors: number[][] = [];
  let best: (Pick<KernelChoice, 'gamma' | 'alpha'> & { readonly error: number }) | undefined;
  for (const gamma of grid.gammas) {
    const system = kernelSystem(kernelMatrix(distances, gamma), task);
    const own: number[] = [];
    for (const alpha of grid.alphas) {
      checkAborted(context);
      const solution = await solveKernel(system, alpha);
      const error = await meanSquare(solution, system.k, several);
      own.push(error);
      if (best === undefined || error < best.error) best = { gamma, alpha, error };
    }
    errors.push(own);
  }
  const { gamma, alpha } = best!;
  return { ...grid, errors, gamma, alpha };
}

async function meanSquare(solution: KernelSolution, k: number, several: readonly number[][]): Promise<number> {
  const residuals = leaveOneOutResiduals(solution, k);
  for (const rows of several) {
    const together = await leftOutResiduals(solution, rows, k);
    rows.forEach((i, r) => residuals.set(together.subarray(r * k, (r + 1) * k), i * k));
  }
  return residuals.reduce((sum, value) => sum + value * value, 0) / residuals.length;
}

function rowsOfImages(images: Int32Array): number[][] {
  const byImage = new Map<number, number[]>();
  images.forEach((image, i) => {
    const rows = byImage.get(image);
    if (rows === undefined) byImage.set(image, [i]);
    else rows.push(i);
  });
  return [...byImage.values()];
}
