import type { Contract } from '../../core/contract.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Pooling } from '../../core/sample.ts';
import type { Backbone, BackboneWeights } from '../backbones/backbone.ts';

export const PRECISIONS = ['fp32', 'bf16', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Where a network runs; each engine has some of them. */
export const DEVICES = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

/** What an engine is asked to run: pixels of the contract's square go in, each output's features come out. */
export interface Program {
  readonly backbone: Backbone;
  readonly weights: BackboneWeights;
  /** `size`, `channelOrder`, `mean` and `scale` are applied inside the engine; geometry and orientation are done by then. */
  readonly contract: Contract;
  readonly outputs: readonly Output[];
  /** What int8 engines need, others ignore: they throw OPTION_INVALID without it. */
  readonly quantization?: Quantization;
}

/** What calibration found on the user's own training images: the range of each layer's output, by the layer's name, up to the cut. */
export interface Quantization {
  /** Lower-case hex SHA-256 over the ranges and how they were found: part of the features' fingerprint. */
  readonly digest: string;
  readonly ranges: ReadonlyMap<string, { readonly min: number; readonly max: number }>;
}

/** The activation of one cut layer, pooled. flatten is NHWC order (h, w, channel), as Keras' Flatten. */
export interface Output {
  readonly cut: string;
  readonly pooling: Pooling;
}

/** A runtime on a device in a precision; features of two engines agree within the tolerance of their precision. */
export interface Engine {
  readonly name: string;
  readonly device: string;
  readonly precision: Precision;
  /** Version of the runtime, for manifests and `doctor`. */
  readonly version: string;
  /** What was chosen for the user and why, one sentence each: for whoever made the engine to tell. */
  readonly notes?: readonly string[];
  /** Throws ENGINE_FAILED with the runtime's own message inside. */
  load(program: Program): Promise<Executable>;
}

export interface Executable {
  /**
   * Runs `count` images: `pixels` is uint8 NHWC RGB, length >= count * size * size * 3, and stays the caller's, unchanged until
   * the promise settles. Returns one matrix (count, width) per output of the program, in its order, owned by the caller.
   * Any count gives the same features for the same image (tolerance: 1e-5 relative to the largest value in fp32).
   */
  run(pixels: Uint8Array, count: number): Promise<readonly Matrix[]>;
  /** Frees the runtime's memory. Waits for the runs in flight. */
  dispose(): Promise<void>;
}
