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
  /** One step against the derivative of the loss by each array of weights. */
  step(gradients: readonly Float32Array[]): void;
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
  // Four numbers are stepped at a time; what is padded has no gradient and stays 0.
  const bytes = Math.ceil(count / 4) * 16;
  if (bytes > MOST_WEIGHTS * 4) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A network of ${count} weights is too large: at most ${MOST_WEIGHTS}. Take pooled features, or fewer components.`,
    );
  }
  module ??= new WebAssembly.Module(ADAM_STEP);
  const { memory, step } = new WebAssembly.Instance(module).exports as unknown as AdamStep;
  memory.grow(Math.ceil((4 * bytes) / PAGE_BYTES));
  const viewsAt = (byte: number) => {
    let at = byte;
    return start.map(({ length }) => {
      const view = new Float32Array(memory.buffer, at, length);
      at += length * 4;
      return view;
    });
  };
  const weights = viewsAt(0);
  const gradient = viewsAt(3 * bytes);
  start.forEach((values, i) => weights[i]!.set(values));
  let steps = 0;
  return {
    weights,
    step(gradients) {
      steps++;
      gradients.forEach((values, i) => gradient[i]!.set(values));
      // Keras folds both bias corrections into the rate, so its epsilon is the paper's "epsilon hat".
      const rate = (learningRate * Math.sqrt(1 - BETA_2 ** steps)) / (1 - BETA_1 ** steps);
      step(0, bytes, 2 * bytes, 3 * bytes, bytes, rate, 1 - BETA_1, 1 - BETA_2, EPSILON);
    },
  };
}
