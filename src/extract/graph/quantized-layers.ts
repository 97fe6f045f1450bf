import { PermafrostError } from '../../core/errors.ts';
import type { OnnxNode, OnnxTensor } from '../../core/onnx-model.ts';
import type { ConvLayer, Layer } from '../backbones/backbone.ts';
import { CONV, convWeights, floatLayer } from './float-layers.ts';
import type { GraphPart } from './graph-part.ts';
import { quantizeBias, quantizeKernel } from '../quantize-weights.ts';
import type { LayerProgram, Quantization } from '../program.ts';

/** Value of one step of a tensor in 8 unsigned bits: 0 stays 0, the largest calibrated value becomes 255. */
function stepOf(quantization: Quantization, tensor: string): number {
  const range = quantization.ranges.get(tensor);
  if (range === undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `The calibration has no range for ${tensor}: it was made for another backbone or an earlier cut. Calibrate for this cut layer.`,
    );
  }
  return range.max > 0 ? range.max / 255 : 1;
}

/** To 8 bits and back: what runtimes fuse with the operators on both sides into one that works on integers. */
function roundTrip(input: string, output: string, step: number): GraphPart {
  const [scale, zero, q] = [`${output}/step`, `${output}/zero`, `${output}/q`];
  return {
    nodes: [
      { op: 'QuantizeLinear', inputs: [input, scale, zero], outputs: [q] },
      { op: 'DequantizeLinear', inputs: [q, scale, zero], outputs: [output] },
    ],
    initializers: [
      { name: scale, shape: [], data: Float32Array.of(step) },
      { name: zero, shape: [], data: Uint8Array.of(0) },
    ],
  };
}

/** A constant in integers, dequantized along its first axis. */
function dequantized(
  name: string,
  shape: readonly number[],
  q: Int8Array | Int32Array,
  scales: Float32Array,
): GraphPart {
  const zeros = q instanceof Int8Array ? new Int8Array(scales.length) : new Int32Array(scales.length);
  const [values, scale, zero] = [`${name}/q`, `${name}/scales`, `${name}/zeros`];
  const node: OnnxNode = {
    op: 'DequantizeLinear',
    inputs: [values, scale, zero],
    outputs: [name],
    attributes: { axis: 0 },
  };
  const initializers: OnnxTensor[] = [
    { name: values, shape, data: q },
    { name: scale, shape: [scales.length], data: scales },
    { name: zero, shape: [scales.length], data: zeros },
  ];
  return { nodes: [node], initializers };
}

const joined = (parts: readonly GraphPart[]): GraphPart => ({
  nodes: parts.flatMap(({ nodes }) => nodes),
  initializers: parts.flatMap(({ initializers }) => initializers),
});

function quantizedConv(
  layer: ConvLayer,
  program: LayerProgram,
  input: { readonly tensor: string; readonly step: number },
  step: number,
): GraphPart {
  const { name, inputs, filters } = layer;
  const { kernel, bias } = convWeights(layer, program);
  const { q, scales } = quantizeKernel(kernel, filters);
  const units = scales.map((scale) => scale * input.step);
  const conv: OnnxNode = {
    op: 'Conv',
    inputs: [input.tensor, `${name}/kernel`, `${name}/bias`],
    outputs: [`${name}/linear`],
    attributes: CONV,
  };
  return joined([
    dequantized(`${name}/kernel`, [filters, inputs, 3, 3], q, scales),
    dequantized(`${name}/bias`, [filters], quantizeBias(bias, units), units),
    { nodes: [conv], initializers: [] },
    // No ReLU: 8 unsigned bits hold nothing below zero, and a node in between keeps runtimes from fusing.
    roundTrip(`${name}/linear`, name, step),
  ]);
}

/** The tensor whose range quantizes a layer's output: that of the pool that follows, whose values it hands on. */
function rangeName(layers: readonly Layer[], at: number): string {
  const next = layers[at + 1];
  return next?.kind === 'maxPool' ? next.name : layers[at]!.name;
}

/**
 * The layers in 8 bits, as pairs of QuantizeLinear and DequantizeLinear around float operators (QDQ): activations in 8
 * unsigned bits, kernels in 8 signed bits with one scale a filter, sums in 32 bits, pools on 8 bits. The first
 * convolution stays in float32: it is 0.6 % of VGG16's work, and in 8 bits was no faster and a little worse. The tensor
 * of each layer's name is float32. Throws OPTION_INVALID where a range is missing, WEIGHTS_MISMATCH.
 */
export function quantizedLayers(
  layers: readonly Layer[],
  program: LayerProgram,
  quantization: Quantization,
): readonly GraphPart[] {
  let input = 'input';
  let step = 0;
  return layers.flatMap((layer, i) => {
    const { name } = layer;
    const from = { tensor: input, step };
    if (layer.kind === 'conv') step = stepOf(quantization, rangeName(layers, i));
    input = name;
    if (layer.kind === 'conv' && i > 0) return [quantizedConv(layer, program, from, step)];
    const float = `${name}/float`;
    return [floatLayer(layer, from.tensor, program, float), roundTrip(float, name, step)];
  });
}
