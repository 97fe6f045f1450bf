import { rgbArithmetic } from '../../core/contract.ts';
import type { ConvLayer, Layer } from '../backbones/backbone.ts';
import { weightsOf, type GraphPart } from './graph-part.ts';
import { kernelToOnnx } from './kernel-layout.ts';
import type { LayerProgram } from '../program.ts';

/** Attributes of every convolution: 3x3, stride 1, zero padding. */
export const CONV = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } as const;

/**
 * Pixels (the tensor `pixels`) to what the first layer reads (the tensor `input`): (pixel - mean) * scale, NCHW.
 * Channels stay RGB: for BGR the first kernel's input channels are reversed, at no cost at run time. The transposition
 * works on bytes, a quarter of the memory traffic of floats.
 */
export function preprocessing({ contract }: LayerProgram, pixels: string): GraphPart {
  const { mean, scale } = rgbArithmetic(contract);
  const isOne = typeof contract.scale === 'number';
  return {
    nodes: [
      { op: 'Transpose', inputs: [pixels], outputs: ['pixels/nchw'], attributes: { perm: [0, 3, 1, 2] } },
      { op: 'Cast', inputs: ['pixels/nchw'], outputs: ['pixels/float'], attributes: { to: 1 } },
      { op: 'Sub', inputs: ['pixels/float', 'mean'], outputs: ['pixels/centred'] },
      { op: 'Mul', inputs: ['pixels/centred', 'scale'], outputs: ['input'] },
    ],
    initializers: [
      { name: 'mean', shape: [1, 3, 1, 1], data: Float32Array.from(mean) },
      isOne
        ? { name: 'scale', shape: [], data: Float32Array.of(scale[0]) }
        : { name: 'scale', shape: [1, 3, 1, 1], data: Float32Array.from(scale) },
    ],
  };
}

/** A layer's kernel (filters, inputs, 3, 3), the first one reading RGB, and its bias. Throws WEIGHTS_MISMATCH. */
export function convWeights(
  { name, inputs, filters }: ConvLayer,
  program: LayerProgram,
): { readonly kernel: Float32Array; readonly bias: Float32Array } {
  const isFirst = program.backbone.layers[0]?.name === name;
  const hwio = weightsOf(program, `${name}/kernel`, 9 * inputs * filters);
  return {
    kernel: kernelToOnnx(hwio, inputs, filters, isFirst && program.contract.channelOrder === 'BGR'),
    bias: weightsOf(program, `${name}/bias`, filters),
  };
}

/** One layer in float32, from the tensor `input` to the tensor `output`, by default that of the layer's name. */
export function floatLayer(layer: Layer, input: string, program: LayerProgram, output = layer.name): GraphPart {
  const { name } = layer;
  if (layer.kind === 'maxPool') {
    const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
    return { nodes: [{ op: 'MaxPool', inputs: [input], outputs: [output], attributes }], initializers: [] };
  }
  const { inputs, filters } = layer;
  const { kernel, bias } = convWeights(layer, program);
  return {
    nodes: [
      { op: 'Conv', inputs: [input, `${name}/kernel`, `${name}/bias`], outputs: [`${name}/linear`], attributes: CONV },
      { op: 'Relu', inputs: [`${name}/linear`], outputs: [output] },
    ],
    initializers: [
      { name: `${name}/kernel`, shape: [filters, inputs, 3, 3], data: kernel },
      { name: `${name}/bias`, shape: [filters], data: bias },
    ],
  };
}
