import type { PixelMap } from './pixel-map.ts';

/** Tensors of a convolution: kernel (3, 3, inputs, filters) (HWIO) and bias (filters). */
export interface ConvTensors {
  readonly kernel: string;
  readonly bias: string;
  readonly filters: number;
}

/** What flows back through a convolution: the derivatives of the loss. */
export interface ConvGradients {
  /** (3, 3, inputs, filters). */
  readonly kernel: string;
  readonly bias: string;
  /** By the layer's input, in its arrangement, where it was asked for. Rows outside of the map hold anything. */
  readonly input?: string;
}

/** A convolution with its ReLU, forward; rows of no pixel are zero. */
export interface ConvForward {
  readonly y: PixelMap;
  /**
   * Its backward pass, for `dy` in the arrangement of y; rows outside of the map may hold anything. Builds nothing
   * before it is called.
   */
  back(dy: string, wantsInput: boolean): ConvGradients;
}
