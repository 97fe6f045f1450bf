import type { Contract } from '../core/contract.ts';
import type { Pooling } from '../core/sample.ts';
import type { Backbone, BackboneWeights } from './backbones/backbone.ts';

/** What an engine is asked to run: pixels of the contract's square go in, each output's features come out. */
export interface Program {
  readonly backbone: Backbone;
  readonly weights: BackboneWeights;
  /**
   * `size`, `channelOrder`, `mean` and `scale` are applied inside the engine; geometry and orientation are done by
   * then.
   */
  readonly contract: Contract;
  readonly outputs: readonly Output[];
  /** What int8 engines need, others ignore: they throw OPTION_INVALID without it. */
  readonly quantization?: Quantization;
}

/**
 * What calibration found on the user's own training images: the range of each layer's output, by the layer's name, up
 * to the cut.
 */
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
