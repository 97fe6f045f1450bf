import type { Precision } from '../linalg/thin.ts';
import type { BentRows } from './bent-rows.ts';
import { MOST_STEPS } from './conjugate-gradients.ts';
import type { NewtonSystem } from './design.ts';
import { inverseCholesky, solveBy, type Square } from '../linalg/inverse-cholesky.ts';
import type { LossAt } from './loss.ts';
import type { Point, Problem } from './problem.ts';
import { addScaled } from '../linalg/vectors.ts';

/** Most numbers of a system's matrix: 32 MiB, of which there are a handful for a moment. */
export const MOST_SYSTEM_VALUES = 2 ** 22;
/** Most values of rows that are copied for it, where these are fewer than columns: 64 MiB. */
const MOST_COPIED = 2 ** 23;
/** Multiplications of a factorisation in the time of one of thin products, which wait for memory. */
const FAST = 5;
/**
 * What takes as long as so many of these: all else in a step of conjugate gradients, and the many small products of a
 * factorisation.
 */
const BESIDE = { gradients: 2 ** 18, direct: 2 ** 23 };

/**
 * How many steps of conjugate gradients take as long as a direct step; undefined where there is none: not in this
 * design, not for a loss of several columns that meet, not where it takes too much memory or longer than conjugate
 * gradients ever do. Measured: some 20 steps for 350 bent rows of 2,400 x 512.
 */
export function worthOfDirect({ design, loss }: Problem, here: LossAt): number | undefined {
  const { rows, size } = design;
  if (design.direct === undefined || loss.k !== 1) return undefined;
  const bent = here.bend().scale.reduce((count, s) => count + Number(s > 0), 0);
  const [few, many] = bent < size ? [bent, size] : [size, bent];
  if (few ** 2 > MOST_SYSTEM_VALUES || (bent < size && bent * size > MOST_COPIED)) return undefined;
  const factorised = (few ** 2 * (many + 2 * few)) / FAST;
  const steps = (factorised + BESIDE.direct) / (rows * size + BESIDE.gradients);
  return steps < MOST_STEPS ? Math.ceil(steps) : undefined;
}

/**
 * The Newton step from `here`, where the objective has the `gradient`, to the digits of float64; undefined where its
 * system is singular to rounding.
 */
export async function directStep(
  { design, penalty, unit }: Problem,
  here: LossAt,
  gradient: Point,
  precision: Precision,
): Promise<Point | undefined> {
  const { scale } = here.bend();
  const shift = gradient.bias[0]! / unit;
  const coef = await design.direct!({ scale, penalty, gradient: gradient.coef, shift });
  if (coef === undefined) return undefined;
  const scores = await design.scores(coef, 1, precision);
  const sum = scale.reduce((total, s) => total + s, 0);
  const pull = scale.reduce((total, s, i) => total + s * scores[i]!, 0);
  return { coef, scores, bias: Float64Array.of(-(shift + pull) / (unit * sum)) };
}

/**
 * The weights of Newton steps to the digits of float64, by a factorisation of the curvature of the rows that `bentOf`
 * gives: of the system in the `size` columns, or in the rows where these are fewer (Woodbury's identity; Chapelle 2007,
 * "Training a support vector machine in the primal"). The intercept is eliminated. One after the other, for the memory;
 * undefined where a system is singular to rounding.
 */
export function directSteps(size: number, bentOf: (scale: Float32Array) => BentRows) {
  async function step({ scale, penalty, gradient, shift }: NewtonSystem): Promise<Float64Array | undefined> {
    const bent = bentOf(scale);
    // (BᵀB + p)·step = right, with the intercept's equation put in.
    const right = gradient.map((g) => -g);
    addScaled(right, shift, bent.mean);
    if (bent.square !== undefined && bent.count > size) return solve(await bent.square(), penalty, right);
    // (BᵀB + p)⁻¹ = (1 - Bᵀ·(BBᵀ + p)⁻¹·B) / p
    const within = await solve(await bent.gram(), penalty, await bent.times(right));
    if (within === undefined) return undefined;
    addScaled(right, -1, await bent.back(within));
    return right.map((value) => value / penalty);
  }
  return async (requests: readonly NewtonSystem[]): Promise<(Float64Array | undefined)[]> => {
    const steps: (Float64Array | undefined)[] = [];
    for (const request of requests) steps.push(await step(request));
    return steps;
  };
}

async function solve(A: Square, penalty: number, right: Float64Array): Promise<Float64Array | undefined> {
  for (let i = 0; i < A.rows; i++) A.data[i * (A.rows + 1)]! += penalty;
  const inverse = await inverseCholesky(A);
  return inverse && solveBy(inverse, right, 1);
}
