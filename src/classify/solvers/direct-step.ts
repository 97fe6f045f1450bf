import type { FloatType } from '../linalg/thin.ts';
import { inverseCholesky, solveBy, type Square } from '../linalg/inverse-cholesky.ts';
import { addScaled } from '../linalg/vectors.ts';
import type { ActiveRows } from './active-rows.ts';
import { MOST_STEPS } from './conjugate-gradients.ts';
import type { Design, NewtonSystem } from './design.ts';
import type { LossAt } from './loss.ts';
import type { Vector } from './objective.ts';

/** Most numbers of a system's matrix: 32 MiB, of which there are a handful for a moment. */
const MOST_SYSTEM_VALUES = 2 ** 22;
/** Those matrices, in float64, at their most. */
const MATRICES = 5;
/** Most values of rows that are copied for it, where these are fewer than columns: 64 MiB. */
const MOST_COPIED = 2 ** 23;
/** Multiplications of a factorisation in the time of one of thin products, which wait for memory. */
const FAST = 5;
/** The overheads in the same unit: of a step of conjugate gradients, and of a factorisation's many small products. */
const OVERHEAD = { gradients: 2 ** 18, direct: 2 ** 23 };

/** Bytes of a direct step at its peak on (rows, cols). */
export function directBytes(rows: number, cols: number): number {
  const system = Math.min(rows, cols) ** 2;
  return system <= MOST_SYSTEM_VALUES ? MATRICES * 8 * system : 0;
}

/**
 * How many steps of conjugate gradients cost one direct step; undefined where there is none: no such design, coupled
 * columns, or too much memory or time. Measured: some 20 steps for 350 active rows of 2,400 x 512.
 */
export function costOfDirect(
  { rows, size, direct }: Pick<Design, 'rows' | 'size' | 'direct'>,
  k: number,
  here: LossAt,
): number | undefined {
  if (direct === undefined || k !== 1) return undefined;
  const active = here.pointwiseHessian().scale.reduce((count, s) => count + Number(s > 0), 0);
  const [few, many] = active < size ? [active, size] : [size, active];
  if (few ** 2 > MOST_SYSTEM_VALUES || (active < size && active * size > MOST_COPIED)) return undefined;
  const factorised = (few ** 2 * (many + 2 * few)) / FAST;
  const steps = (factorised + OVERHEAD.direct) / (rows * size + OVERHEAD.gradients);
  return steps < MOST_STEPS ? Math.ceil(steps) : undefined;
}

/** The Newton step at `here` in float64; undefined where its system is singular to rounding. */
export async function directStep(
  { design, penalty, interceptScale }: { design: Design; penalty: number; interceptScale: number },
  here: LossAt,
  gradient: Vector,
  precision: FloatType,
): Promise<Vector | undefined> {
  const { scale } = here.pointwiseHessian();
  const shift = gradient.bias[0]! / interceptScale;
  const coef = await design.direct!({ scale, penalty, gradient: gradient.coef, shift });
  if (coef === undefined) return undefined;
  const logits = await design.logits(coef, 1, precision);
  const sum = scale.reduce((total, s) => total + s, 0);
  const pull = scale.reduce((total, s, i) => total + s * logits[i]!, 0);
  return { coef, logits, bias: Float64Array.of(-(shift + pull) / (interceptScale * sum)) };
}

/**
 * Newton steps in float64 by factorising the Hessian of the active rows, in the `size` columns or in fewer rows
 * (Woodbury's identity; Chapelle 2007, "Training a support vector machine in the primal"), intercept eliminated. One
 * after the other, to bound memory; undefined where a system is singular to rounding.
 */
export function directSteps(size: number, activeOf: (scale: Float32Array) => ActiveRows) {
  async function step({ scale, penalty, gradient, shift }: NewtonSystem): Promise<Float64Array | undefined> {
    const active = activeOf(scale);
    // (BᵀB + p)·step = right, with the intercept's equation put in.
    const right = gradient.map((g) => -g);
    addScaled(right, shift, active.mean);
    if (active.square !== undefined && active.count > size) return solve(await active.square(), penalty, right);
    // (BᵀB + p)⁻¹ = (1 - Bᵀ·(BBᵀ + p)⁻¹·B) / p
    const within = await solve(await active.gram(), penalty, await active.times(right));
    if (within === undefined) return undefined;
    addScaled(right, -1, await active.back(within));
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
