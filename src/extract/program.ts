import type { Contract } from '../core/contract.ts';
import type { Pooling } from '../core/sample.ts';
import type { Backbone, BackboneWeights } from './backbones/backbone.ts';

/** What an engine is asked to run: pixels of the contract's square go in, each output's features come out. */
export interface Program {
  readonly backbone: Backbone;
  readonly weights: BackboneWeights;
  /** The engine applies `size`, `channelOrder`, `mean` and `scale`; geometry and orientation are done by then. */
  readonly contract: Contract;
  readonly outputs: readonly Output[];
  /** What int8 engines need, others ignore: they throw OPTION_INVALID without it. */
  readonly quantization?: Quantization;
}

/** The range of each layer's output up to the cut, by the layer's name, as calibration found it. */
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
