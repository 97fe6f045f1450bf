import { encodeOnnx, type OnnxGraph } from '../../core/onnx-model.ts';
import { featureWidth, outputShape } from '../backbones/cut-layers.ts';
import type { ConvLayer, Layer } from '../backbones/backbone.ts';
import { floatLayer, preprocessing } from './float-layers.ts';
import type { GraphPart } from './graph-part.ts';
import { neededLayers, outputName } from './needed-layers.ts';
import { poolingLayers } from './pooling-layers.ts';
import { quantizedLayers } from './quantized-layers.ts';
import { WINOGRAD_CONSTANTS, winogradLayer } from './winograd-layers.ts';
import type { Program } from '../program.ts';

export { outputName } from './needed-layers.ts';

/** The graph's one input: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

/** Choices of a graph that leave its precision alone. */
export interface ProgramGraphOptions {
  /**
   * Float32 convolutions with at least so many input channels run by Winograd's minimal filtering, but never the first
   * one, which takes up the channel order. Default: none.
   */
  readonly winogradFrom?: number;
}

function floatLayers(
  layers: readonly Layer[],
  program: Program,
  { winogradFrom = Infinity }: ProgramGraphOptions,
): readonly GraphPart[] {
  let side = program.contract.size;
  const isTransformed = (layer: Layer, i: number): layer is ConvLayer =>
    layer.kind === 'conv' && i > 0 && layer.inputs >= winogradFrom;
  const parts = layers.map((layer, i) => {
    const input = layers[i - 1]?.name ?? 'input';
    if (layer.kind === 'maxPool') side = Math.floor(side / 2);
    return isTransformed(layer, i) ? winogradLayer(layer, input, program, side) : floatLayer(layer, input, program);
  });
  // ONNX Runtime warns of constants that nothing reads.
  return layers.some(isTransformed) ? [{ nodes: [], initializers: WINOGRAD_CONSTANTS }, ...parts] : parts;
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
      ? floatLayers(layers, program, options)
      : quantizedLayers(layers, program, quantization)),
    ...poolingLayers(outputs),
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
