import type { OnnxFile } from './onnx-file.ts';

/** A 3x3 convolution, stride 1, zero padding "same", bias, ReLU; `name` is the output after the ReLU, as in Keras. */
export interface ConvLayer {
  readonly kind: 'conv';
  readonly name: string;
  readonly inputs: number;
  readonly filters: number;
}

/** Maximum over 2x2, stride 2. */
export interface MaxPoolLayer {
  readonly kind: 'maxPool';
  readonly name: string;
}

/** One step of a network. */
export type Layer = ConvLayer | MaxPoolLayer;

/** A frozen network as layers in order, a convolution first. Each layer's name (Keras') may be a cut. */
export interface LayerBackbone {
  readonly name: string;
  readonly layers: readonly Layer[];
}

/** Shape of one image's activation. A vector is a map of 1 x 1; tokens are a map of height 1, a token a column. */
export interface ActivationShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Of tokens alone: how many of the first are no patches of the picture (class and register tokens). */
  readonly prefix?: number;
}

/** The one input of a graph. */
export interface GraphInput {
  readonly name: string;
  readonly layout: 'NCHW' | 'NHWC';
  readonly dtype: 'float32' | 'float16' | 'uint8';
  /** Images of a run that the file allows: a number that is baked in, or undefined for any. */
  readonly batch: number | undefined;
  /** How often the one image of a run is given to a file that has a batch of so many baked in; absent: once. */
  readonly repeats?: number;
}

/** A tensor of a graph at which it can be cut, as a run of it measured it. */
export interface GraphCut {
  readonly shape: ActivationShape;
  /** What the tensor's axes mean. */
  readonly axes: 'NCHW' | 'NHWC' | 'tokens' | 'vector';
  /** Position in the order of the graph's operators. */
  readonly depth: number;
}

/** A frozen network as a graph of operators: an ONNX file. Each of its tensors may be a cut. */
export interface GraphBackbone {
  /** What it is called, for people: renaming the file changes no feature. */
  readonly name: string;
  readonly file: OnnxFile;
  readonly input: GraphInput;
  /** The sensible cuts, and those that were asked for, by the tensor's name. */
  readonly cuts: ReadonlyMap<string, GraphCut>;
  /** The cut where none is asked for, perhaps with its poolings: `features`, or `last_hidden_state:cls`. */
  readonly defaultCut: string;
  /** Short names of cuts, as the network's description gives them, and the tensors that they stand for. */
  readonly aliases?: ReadonlyMap<string, string>;
}

/** A frozen network as data. */
export type Backbone = LayerBackbone | GraphBackbone;

/** Whether a network is a list of layers. */
export const isLayerBackbone = (backbone: Backbone): backbone is LayerBackbone => 'layers' in backbone;

/** For conv layer L the tensors `L/kernel`, shape (3, 3, inputs, filters) (HWIO), and `L/bias`, (filters). */
export interface BackboneWeights {
  /** Lower-case hex SHA-256 over all tensors (names, shapes, float32 bytes) in layer order, whatever the file. */
  readonly digest: string;
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}
