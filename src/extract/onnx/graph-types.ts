import type { Contract } from '../../core/contract.ts';
import type { OnnxFile } from './onnx-file.ts';

/** The input that takes images. */
export interface GraphInput {
  readonly name: string;
  readonly layout: 'NCHW' | 'NHWC';
  readonly dtype: 'float32' | 'float16' | 'uint8';
  /** The one number of images that the graph computes at a time; undefined: any. */
  readonly batch: number | undefined;
}

/** Shape of one image's activation; a vector is a map of 1 x 1, tokens are a map of height 1. */
export interface GraphShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Of tokens: how many, at the beginning, are no patches of the picture; undefined where that is not known. */
  readonly prefix?: number;
}

/** A tensor of the graph that features are taken of. */
export interface GraphCut {
  readonly shape: GraphShape;
  /** What its axes behind the batch mean. */
  readonly axes: 'NCHW' | 'NHWC' | 'tokens' | 'vector';
  /** The place of the node that writes it, in topological order. */
  readonly depth: number;
}

export interface GraphBackbone {
  readonly name: string;
  readonly file: OnnxFile;
  readonly input: GraphInput;
  readonly cuts: ReadonlyMap<string, GraphCut>;
  readonly defaultCut: string;
}

export interface GraphProgram {
  readonly backbone: GraphBackbone;
  readonly contract: Contract;
  readonly outputs: readonly { readonly cut: string; readonly pooling: string }[];
}
