import type { Contract } from '../core/contract.ts';
import { PermafrostError } from '../core/errors.ts';
import type { Pooling } from '../core/sample.ts';
import { isLayerBackbone, type BackboneWeights, type GraphBackbone, type LayerBackbone } from './backbones/backbone.ts';

/** What all programs say: pixels of the contract's square go in, each output's features come out. */
interface ProgramParts {
  /** The engine applies `size`, `channelOrder`, `mean` and `scale`; geometry and orientation are done by then. */
  readonly contract: Contract;
  readonly outputs: readonly Output[];
  /** What int8 engines need, others ignore: they throw OPTION_INVALID without it. */
  readonly quantization?: Quantization;
}

/** A list of layers with its weights. */
export interface LayerProgram extends ProgramParts {
  readonly backbone: LayerBackbone;
  readonly weights: BackboneWeights;
}

/** A graph, which holds its own weights. */
export interface GraphProgram extends ProgramParts {
  readonly backbone: GraphBackbone;
}

/** What an engine is asked to run. */
export type Program = LayerProgram | GraphProgram;

/** A program without what is asked of it: a network and its contract. */
export type NetworkProgram =
  Omit<LayerProgram, 'outputs' | 'quantization'> | Omit<GraphProgram, 'outputs' | 'quantization'>;

/** What names the network of a program: lists of layers by their name, graphs as `onnx`; and the weights' digest. */
export const networkId = (network: NetworkProgram): { readonly backbone: string; readonly weights: string } =>
  'weights' in network
    ? { backbone: network.backbone.name, weights: network.weights.digest }
    : { backbone: 'onnx', weights: network.backbone.file.digest };

export const isLayerProgram = (program: Program): program is LayerProgram => isLayerBackbone(program.backbone);

/** The range of each layer's output up to the cut, by the layer's name, as calibration found it. */
export interface Quantization {
  /** Lower-case hex SHA-256 over the ranges and how they were found: part of the features' fingerprint. */
  readonly digest: string;
  readonly ranges: ReadonlyMap<string, { readonly min: number; readonly max: number }>;
  /** Of graphs, where calibration found them: the mean of each channel of what is multiplied by weights. */
  readonly means?: ReadonlyMap<string, readonly number[]> | undefined;
}

/** The activation of one cut layer, pooled. flatten is NHWC order (h, w, channel), as Keras' Flatten. */
export interface Output {
  readonly cut: string;
  readonly pooling: Pooling;
}

/** The one input of a program's graph: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

/** The graph's name for an output, such as `block5_pool/flatten`; its type is float32, its shape (batch, width). */
export function outputName({ cut, pooling }: Output): string {
  return `${cut}/${pooling}`;
}

/** The names of a program's outputs. Throws OPTION_INVALID where there is none, or one twice. */
export function outputNames(outputs: readonly Output[]): readonly string[] {
  const names = outputs.map(outputName);
  if (names.length > 0 && new Set(names).size === names.length) return names;
  throw new PermafrostError(
    'OPTION_INVALID',
    `A program needs at least one output and each only once, got: ${names.join(', ') || 'none'}.`,
  );
}
