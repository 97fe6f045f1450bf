import { encodeOnnx, type OnnxGraph, type OnnxNode } from '../../core/onnx-model.ts';
import { featureWidth, outputShape } from '../backbones/cut-layers.ts';
import type { Layer } from '../backbones/backbone.ts';
import { floatLayer, preprocessing } from './float-layers.ts';
import type { GraphPart } from './graph-part.ts';
import { neededLayers, outputName } from './needed-layers.ts';
import { frozenLayers } from './nhwc/frozen-layers.ts';
import { quantizedLayers } from './quantized-layers.ts';
import type { Output, Program } from '../program.ts';

export { outputName } from './needed-layers.ts';

/** The graph's one input: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

/** The outputs that layers in NCHW give. */
function poolings(layers: readonly Layer[], { outputs }: Program): GraphPart {
  const given = outputs.filter(({ cut }) => layers.some(({ name }) => name === cut));
  return { nodes: given.flatMap(poolingNodes), initializers: [] };
}

/** NCHW activation to features (batch, width); flatten in NHWC order, as Keras. */
function poolingNodes(output: Output): readonly OnnxNode[] {
  const name = outputName(output);
  const between = `${name}/between`;
  const first: OnnxNode =
    output.pooling === 'flatten'
      ? { op: 'Transpose', inputs: [output.cut], outputs: [between], attributes: { perm: [0, 2, 3, 1] } }
      : {
          op: output.pooling === 'avg' ? 'GlobalAveragePool' : 'GlobalMaxPool',
          inputs: [output.cut],
          outputs: [between],
        };
  return [first, { op: 'Flatten', inputs: [between], outputs: [name], attributes: { axis: 1 } }];
}

/** Choices of a graph that leave its precision alone. */
export interface ProgramGraphOptions {
  /**
   * From the first float32 convolution of at least so many filters on, convolutions run by Winograd's minimal filtering
   * (nhwc/); never the network's first one, which takes up the channel order. Default: none.
   */
  readonly winogradFrom?: number;
}

/** Layers in float32 and the outputs that they give: directly up to the first wide convolution, then on pixel rows. */
function floatParts(
  layers: readonly Layer[],
  program: Program,
  { winogradFrom = Infinity }: ProgramGraphOptions,
): readonly GraphPart[] {
  const isWide = (layer: Layer, i: number): boolean => layer.kind === 'conv' && i > 0 && layer.filters >= winogradFrom;
  const start = layers.findIndex(isWide);
  const direct = start === -1 ? layers : layers.slice(0, start);
  const parts = direct.map((layer, i) => floatLayer(layer, layers[i - 1]?.name ?? 'input', program));
  if (start === -1) return [...parts, poolings(direct, program)];
  const tensor = direct.at(-1)!.name;
  const input = { tensor, ...outputShape(program.backbone, tensor, program.contract.size) };
  return [...parts, poolings(direct, program), frozenLayers(layers.slice(start), input, program)];
}

/**
 * A program as an ONNX graph: the contract's arithmetic, the layers up to the deepest cut, one output per pooling. With
 * a quantization the layers are in 8 bits (quantized-layers.ts); pooling stays in float32. Throws OPTION_INVALID for
 * unknown or repeated cuts, no outputs, too small a size, or a quantization of another cut; WEIGHTS_MISMATCH.
 */
export function programGraph(program: Program, options: ProgramGraphOptions = {}): OnnxGraph {
  const { backbone, contract, outputs, quantization } = program;
  const layers = neededLayers(program);
  const parts = [
    preprocessing(program, PIXELS),
    ...(quantization === undefined
      ? floatParts(layers, program, options)
      : [...quantizedLayers(layers, program, quantization), poolings(layers, program)]),
  ];
  return {
    name: backbone.name,
    nodes: parts.flatMap(({ nodes }) => nodes),
    initializers: parts.flatMap(({ initializers }) => initializers),
    inputs: [{ name: PIXELS, type: 'uint8', shape: ['batch', contract.size, contract.size, 3] }],
    outputs: outputs.map((output) => ({
      name: outputName(output),
      type: 'float32',
      shape: ['batch', featureWidth(outputShape(backbone, output.cut, contract.size), output.pooling)],
    })),
  };
}

/** The program as the bytes of an ONNX model. Throws as programGraph. */
export function programModel(program: Program, options: ProgramGraphOptions = {}): Uint8Array {
  return encodeOnnx(programGraph(program, options));
}
