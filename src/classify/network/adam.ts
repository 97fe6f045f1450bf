import { PermafrostError } from '../../core/errors.ts';
import { ADAM_STEP } from './adam-step.ts';

/** Adam (Kingma and Ba 2015, arXiv 1412.6980) with Keras' defaults but for the learning rate, in float32 as there. */
const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-7;

/** WebAssembly's memory comes in pages of so many bytes, and has at most 65,536 of them. */
const PAGE_BYTES = 65_536;
const MOST_WEIGHTS = (65_536 * PAGE_BYTES) / 16;

export interface Adam {
  /** The weights as they are after the last step: views of the optimiser's own memory. */
  readonly weights: readonly Float32Array[];
  /** The derivative of the loss by each array of weights, in that memory too: what the next step is against. */
  readonly gradients: readonly Float32Array[];
  /** Running means of the gradients and of their squares, and the steps so far: with the weights all of its state. */
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
  /** Counted by `step`; written where training goes on from a state that was kept. */
  steps: number;
  /**
   * One step against `gradients`, by default those in its memory. `rates`: a learning rate for each array, by default
   * that of all.
   */
  step(gradients?: readonly Float32Array[], rates?: readonly number[]): void;
}

interface AdamStep {
  readonly memory: WebAssembly.Memory;
  readonly step: (
    ...args: readonly [
      weights: number,
      first: number,
      second: number,
      gradient: number,
      bytes: number,
      rate: number,
      rest1: number,
      rest2: number,
      epsilon: number,
    ]
  ) => void;
}

let module: WebAssembly.Module | undefined;

/**
 * The optimiser of arrays of float32 weights that begin with the values of `start`. Throws FIT_INVALID for more than
 * 2^28 weights: four arrays of them have no place in WebAssembly's 4 GiB.
 */
export function adam(start: readonly Float32Array[], learningRate: number): Adam {
  const count = start.reduce((sum, { length }) => sum + length, 0);
  // Four numbers are stepped at a time; what an array is padded by has no gradient and stays 0.
  const sizes = start.map(({ length }) => Math.ceil(length / 4) * 16);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > MOST_WEIGHTS * 4) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A network of ${count} weights is too large: at most ${MOST_WEIGHTS}. Take pooled features, or fewer components.`,
    );
  }
  module ??= new WebAssembly.Module(ADAM_STEP);
  const { memory, step } = new WebAssembly.Instance(module).exports as unknown as AdamStep;
  memory.grow(Math.ceil((4 * bytes) / PAGE_BYTES));
  const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const viewsAt = (byte: number) =>
    start.map(({ length }, i) => new Float32Array(memory.buffer, byte + offsets[i]!, length));
  const [weights, first, second, gradients] = [0, 1, 2, 3].map((part) => viewsAt(part * bytes)) as [
    Float32Array[],
    Float32Array[],
    Float32Array[],
    Float32Array[],
  ];
  start.forEach((values, i) => weights[i]!.set(values));
  const optimiser: Adam = {
    weights,
    gradients,
    first,
    second,
    steps: 0,
    step(given = gradients, rates) {
      const t = ++optimiser.steps;
      if (given !== gradients) given.forEach((values, i) => gradients[i]!.set(values));
      const stepArrays = (from: number, size: number, rate: number): void => {
        // Keras folds both bias corrections into the rate, so its epsilon is the paper's "epsilon hat".
        const corrected = (rate * Math.sqrt(1 - BETA_2 ** t)) / (1 - BETA_1 ** t);
        const [w, m, v, g] = [from, bytes + from, 2 * bytes + from, 3 * bytes + from];
        step(w, m, v, g, size, corrected, 1 - BETA_1, 1 - BETA_2, EPSILON);
      };
      if (rates === undefined) stepArrays(0, bytes, learningRate);
      else sizes.forEach((size, i) => stepArrays(offsets[i]!, size, rates[i]!));
    },
  };
  return optimiser;
}
