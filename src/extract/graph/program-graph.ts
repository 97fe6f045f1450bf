import { encodeOnnx, type OnnxGraph, type OnnxNode } from '../../core/onnx-model.ts';
import { featureWidth, outputShape } from '../backbones/cut-layers.ts';
import type { Layer } from '../backbones/backbone.ts';
import type { Output, Program } from '../engines/engine.ts';
import { floatLayer, preprocessing } from './float-layers.ts';
import type { GraphPart } from './graph-part.ts';
import { neededLayers, outputName } from './needed-layers.ts';
import { quantizedLayers } from './quantized-layers.ts';

export { outputName } from './needed-layers.ts';

/** The graph's one input: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

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
