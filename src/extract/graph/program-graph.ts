import { PermafrostError } from '../../core/errors.ts';
import { encodeOnnx, type OnnxGraph, type OnnxNode } from '../../core/onnx-model.ts';
import { featureWidth, layersUpTo, outputShape } from '../backbones/cut-layers.ts';
import type { Layer } from '../backbones/backbone.ts';
import type { Output, Program } from '../engines/engine.ts';
import { floatLayer, preprocessing } from './float-layers.ts';
import type { GraphPart } from './graph-part.ts';
import { quantizedLayers } from './quantized-layers.ts';

/** The graph's one input: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

/** The graph's name for an output, such as `block5_pool/flatten`; its type is float32, its shape (batch, width). */
export function outputName({ cut, pooling }: Output): string {
  return `${cut}/${pooling}`;
}

/** NCHW activation to features (batch, width); flatten in NHWC order, as Keras. */
function poolingNodes(output: Output): readonly OnnxNode[] {
  const name = outputName(output);
  const between = `${name}/between`;
  const first: OnnxNode =
    output.pooling === 'flatten'
      ? {
          op: 'Transpose',
          inputs: [output.cut],
          outputs: [between],
          attributes: { perm: [0, 2, 3, 1] },
        }
      : {
          op: output.pooling === 'avg' ? 'GlobalAveragePool' : 'GlobalMaxPool',
          inputs: [output.cut],
          outputs: [between],
        };
  return [first, { op: 'Flatten', inputs: [between], outputs: [name], attributes: { axis: 1 } }];
}

/** The layers from the input to the deepest cut of the program. */
function neededLayers({ backbone, outputs }: Program): readonly Layer[] {
  if (backbone.layers[0]?.kind !== 'conv') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${backbone.name} must begin with a convolution, whose kernel takes up the channel order.`,
    );
  }
  const names = outputs.map(outputName);
  if (names.length === 0 || new Set(names).size < names.length) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `A program needs at least one output and each only once, got: ${names.join(', ') || 'none'}.`,
    );
  }
  return backbone.layers.slice(0, Math.max(...outputs.map(({ cut }) => layersUpTo(backbone, cut).length)));
}

function floatLayers(layers: readonly Layer[], program: Program): readonly GraphPart[] {
  return layers.map((layer, i) => floatLayer(layer, layers[i - 1]?.name ?? 'input', program));
}

/**
 * A program as an ONNX graph: the contract's arithmetic, the layers up to the deepest cut and no further, one output per pooling. A
 * program with a quantization has its layers in 8 bits (quantized-layers.ts), for runtimes that fuse them; pooling stays in float32.
 * Throws OPTION_INVALID for an unknown cut, no or repeated outputs, a size that pooling reduces to nothing, or a quantization of another
 * cut; WEIGHTS_MISMATCH for weights of another backbone.
 */
export function programGraph(program: Program): OnnxGraph {
  const { backbone, contract, outputs, quantization } = program;
  const layers = neededLayers(program);
  const parts = [
    preprocessing(program, PIXELS),
    ...(quantization === undefined
      ? floatLayers(layers, program)
      : quantizedLayers(layers, program, quantization)),
  ];
  return {
    name: backbone.name,
    nodes: [...parts.flatMap(({ nodes }) => nodes), ...outputs.flatMap(poolingNodes)],
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
export function programModel(program: Program): Uint8Array {
  return encodeOnnx(programGraph(program));
}
