import type { Matrix } from '../../core/matrix.ts';
import { integerOption } from '../../core/options.ts';
import type { Program } from '../program.ts';

export const PRECISIONS = ['fp32', 'bf16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Where a network runs; each engine has some of them. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

/** Of each engine whose threads can be chosen. Features do not depend on it, to the last bit (test/extract/engines). */
export const THREADS_OPTION = integerOption(
  0,
  'threads that the network computes with, which decide no feature; 0: one per physical core that this process may use',
  { min: 0, max: 1024 },
);

/** A runtime on a device in a precision; features of two engines agree within the tolerance of their precision. */
export interface Engine {
  readonly name: string;
  readonly device: string;
  readonly precision: Precision;
  /** Version of the runtime, for manifests and `doctor`. */
  readonly version: string;
  /** What was chosen for the user and why, one sentence each: for whoever made the engine to tell. */
  readonly notes?: readonly string[];
  /** What there is to tell of it goes to `note`. Throws ENGINE_FAILED with the runtime's own message inside. */
  load(program: Program, note?: (message: string) => void): Promise<Executable>;
}

/** A network that an engine has loaded. */
export interface Executable {
  /**
   * Runs `count` images: uint8 NHWC RGB pixels, at least count * size * size * 3, unchanged until the promise settles.
   * Returns one matrix (count, width) per output of the program, in its order, owned by the caller. An image's features
   * depend on `count` within 1e-5 of the largest value in fp32.
   */
  run(pixels: Uint8Array, count: number): Promise<readonly Matrix[]>;
  /** Frees the runtime's memory. Waits for the runs in flight. */
  dispose(): Promise<void>;
}
