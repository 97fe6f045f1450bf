import { PermafrostError } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { integerOption, type OptionsOf } from '../../core/options.ts';
import { blocksOf, joinedBlocks, matrixRows, type Rows } from '../../core/rows.ts';
import { checkPredict } from '../checks.ts';
import type { FittedHead, HeadState, RowsShape } from '../head.ts';
import { GAMMA_OPTION } from '../kernels/gamma.ts';
import { kernelProducts, type KernelWidth } from '../kernels/kernel-graphs.ts';
import { mapBytes } from '../kernels/nystroem.ts';
import { distanceBytes } from '../kernels/squared-distances.ts';
import { addScaled, shiftRows } from '../linalg/vectors.ts';
import { type FittedFacts, factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { linearProbabilities } from './linear.ts';

/** Options of the heads with a Gaussian kernel that say where its matrix is exact. */
export const APPROXIMATION_OPTIONS = {
  exactRows: integerOption(
    10_000,
    'up to so many training rows the kernel matrix is exact; more are approximated by landmarks (Nystroem)',
    { min: 0 },
  ),
  nComponents: integerOption(1000, 'landmarks where the kernel is approximated: means of nearby training rows', {
    min: 1,
  }),
  seed: integerOption(1, 'seed of the landmarks', { min: 0 }),
};

/** Options of every head with a Gaussian kernel. */
export const KERNEL_OPTIONS = { gamma: GAMMA_OPTION, ...APPROXIMATION_OPTIONS };
export type KernelOptions = OptionsOf<typeof KERNEL_OPTIONS>;

/** f(x) = Σ exp(-gamma·|x - zᵢ|²)·coefᵢ + intercept, of training rows or landmarks z. */
export interface KernelFunction extends KernelWidth {
  /** Shape (n, d), in memory or left in a store. */
  readonly rows: Rows;
  /** Shape (n, k). */
  readonly coef: Matrix;
  /** Shape (k). */
  readonly intercept: Float32Array;
}

/** Peak bytes of a fit: `exact` those of an exact one on its distances, else the landmarks' and `mapped` with those. */
export function kernelBytes(
  { exactRows, nComponents }: KernelOptions,
  shape: RowsShape & { readonly inMemory: boolean },
  exact: (rows: number) => number,
  mapped: (shape: RowsShape) => number,
): number {
  const { rows, cols, inMemory } = shape;
  if (rows <= exactRows) return (inMemory ? 4 * rows * cols : 0) + distanceBytes(rows) + exact(rows);
  return mapBytes(nComponents, shape) + mapped({ rows, cols: nComponents });
}

/** What a fit on landmarks says of itself. */
export const landmarksNote = (landmarks: number, sampled: number, rows: number): string =>
  `approximate: ${landmarks} landmarks, means of ${sampled} of the rows, stand for the ${rows} training rows (nComponents; exact up to exactRows)`;

/** What a fit says of a kernel whose width it chose. */
export const gammaNote = (gamma: number): string =>
  `gamma ${Number(gamma.toPrecision(4))}: 1 / the median squared distance of the training rows`;

/** A head that answers by a kernel function: logistic of one column, softmax of several. */
export function fittedKernel(facts: FittedFacts, f: KernelFunction, more: HeadState['json'] = {}): FittedHead {
  const rows = joinedBlocks(f.rows);
  const { k, values } = { k: f.coef.cols, values: new Float64Array(f.coef.data) };

  async function logits(X: Matrix): Promise<Matrix> {
    checkPredict(`The head "${facts.name}"`, X, facts.features);
    const sums = new Float64Array(X.rows * k);
    if (X.rows > 0) {
      for await (const { start, X: Z } of blocksOf(rows)) {
        addScaled(sums, 1, await kernelProducts(X, Z, f, values.subarray(start * k, (start + Z.rows) * k)));
      }
    }
    return matrix(X.rows, k, new Float32Array(shiftRows(sums, new Float64Array(f.intercept), 1)));
  }

  return {
    ...facts,
    ...(f.rows.matrix === undefined && { leavesRows: true }),
    logits,
    predictProba: async (X) => linearProbabilities(await logits(X), new Float32Array(k)),
    state: stateOf(
      facts,
      new Map([
        ...(f.rows.matrix === undefined ? [] : ([['rows', tensorOf(f.rows.matrix)]] as const)),
        ['centre', { shape: [1, facts.features], data: f.centre }],
        ['coef', tensorOf(f.coef)],
        ['intercept', { shape: [1, k], data: f.intercept }],
      ]),
      { ...more, gamma: f.gamma },
    ),
  };
}

/** The head in `state`; `given` are its training rows where the state does not hold them. Throws HEAD_CORRUPT. */
export function loadKernel(state: HeadState, given?: Rows): FittedHead {
  const facts = factsOf(state);
  const { gamma } = state.json;
  if (typeof gamma !== 'number' || !(gamma > 0)) throw corrupt('has no gamma');
  const isLeft = given !== undefined && !state.tensors.has('rows');
  const rows = isLeft ? given : matrixRows(matrixOf(state, 'rows', undefined, facts.features));
  if (rows.cols !== facts.features)
    throw corrupt(`takes ${facts.features} features a row, its training rows have ${rows.cols}`);
  const k = facts.classes.length === 2 ? 1 : facts.classes.length;
  return fittedKernel(
    facts,
    {
      rows,
      gamma,
      centre: matrixOf(state, 'centre', 1, facts.features).data,
      coef: matrixOf(state, 'coef', rows.rows, k),
      intercept: matrixOf(state, 'intercept', 1, k).data,
    },
    state.json,
  );
}

const corrupt = (found: string): PermafrostError =>
  new PermafrostError('HEAD_CORRUPT', `The stored head ${found}. Train it again.`);
