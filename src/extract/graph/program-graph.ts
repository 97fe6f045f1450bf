import { PermafrostError } from '../../core/errors.ts';
import type { OnnxGraph } from '../../core/onnx-model.ts';
import { featureWidth, outputShape } from '../backbones/cut-layers.ts';
import type { Layer } from '../backbones/backbone.ts';
import { floatLayer, preprocessing } from './float-layers.ts';
import type { GraphPart } from './graph-part.ts';
import { neededLayers } from './needed-layers.ts';
import { frozenLayers, type FrozenChoices } from './nhwc/frozen-layers.ts';
import { poolingLayers } from './pooling-layers.ts';
import { quantizedLayers } from './quantized-layers.ts';
import { isLayerProgram, outputName, PIXELS, type LayerProgram, type Program } from '../program.ts';

export { outputName, PIXELS } from '../program.ts';

/** Choices of a graph that leave its precision alone. */
export interface ProgramGraphOptions {
  /** Default: all convolutions run directly. */
  readonly winograd?: WinogradGraphOptions;
}

/** Which float32 convolutions run by Winograd's minimal filtering, and in how much memory. */
export interface WinogradGraphOptions extends FrozenChoices {
  /** Those from the first of so many filters on, but never the network's first, which takes up the channel order. */
  readonly leastFilters: number;
}

/** Layers in float32 and the outputs that they give: directly up to the first wide convolution, then on pixel rows. */
function floatParts(
  layers: readonly Layer[],
  program: LayerProgram,
  { winograd }: ProgramGraphOptions,
): readonly GraphPart[] {
  const { leastFilters = Infinity } = winograd ?? {};
  const start = layers.findIndex((layer, i) => layer.kind === 'conv' && i > 0 && layer.filters >= leastFilters);
  const direct = start === -1 ? layers : layers.slice(0, start);
  const parts = direct.map((layer, i) => floatLayer(layer, layers[i - 1]?.name ?? 'input', program));
  if (winograd === undefined || start === -1) return [...parts, poolingLayers(direct, program)];
  const tensor = direct.at(-1)!.name;
  const input = { tensor, ...outputShape(program.backbone, tensor, program.contract.size) };
  return [...parts, poolingLayers(direct, program), frozenLayers(layers.slice(start), input, program, winograd)];
}

/**
 * A list of layers as an ONNX graph: the contract's arithmetic, the layers up to the deepest cut, one output per
 * pooling. With a quantization the layers are in 8 bits (quantized-layers.ts); pooling stays in float32. Throws
 * OPTION_INVALID for unknown or repeated cuts, no outputs, too small a size, or a quantization of another cut;
 * WEIGHTS_MISMATCH.
 */
export function programGraph(program: LayerProgram, options: ProgramGraphOptions = {}): OnnxGraph {
  const { backbone, contract, outputs, quantization } = program;
  const layers = neededLayers(program);
  const parts = [
    preprocessing(program, PIXELS),
    ...(quantization === undefined
      ? floatParts(layers, program, options)
      : [...quantizedLayers(layers, program, quantization), poolingLayers(layers, program)]),
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

/** Throws OPTION_INVALID where `what` is asked to run a graph. */
export function requireLayerProgram(program: Program, what: string): LayerProgram {
  if (isLayerProgram(program)) return program;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${what} runs lists of layers (VGG16, VGG19) alone, and ${program.backbone.name} is a graph. Take --engine onnxruntime, or openvino.`,
  );
}
