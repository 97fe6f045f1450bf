import { encodeOnnx, type OnnxGraph, type OnnxNode } from '../../core/onnx-model.ts';
import { featureWidth, outputShape } from '../backbones/cut-layers.ts';
import type { Layer } from '../backbones/backbone.ts';
import type { Output, Program } from '../engines/engine.ts';
import { weightsOf, type GraphPart } from './graph-part.ts';
import { kernelToOnnx } from './kernel-layout.ts';
import { neededLayers, outputName } from './needed-layers.ts';

export { outputName } from './needed-layers.ts';

/** The graph's one input: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

/**
 * Pixels to what the first layer reads: (pixel - mean) * scale, NCHW. Channels stay RGB here: where the contract says BGR, the first
 * kernel's input channels are reversed instead, which costs nothing at run time. The transposition works on bytes, a quarter of the
 * memory traffic of floats.
 */
function preprocessing({ contract }: Program): GraphPart {
  const mean = contract.channelOrder === 'RGB' ? contract.mean : contract.mean.toReversed();
  return {
    nodes: [
      {
        op: 'Transpose',
        inputs: [PIXELS],
        outputs: ['pixels/nchw'],
        attributes: { perm: [0, 3, 1, 2] },
      },
      { op: 'Cast', inputs: ['pixels/nchw'], outputs: ['pixels/float'], attributes: { to: 1 } },
      { op: 'Sub', inputs: ['pixels/float', 'mean'], outputs: ['pixels/centred'] },
      { op: 'Mul', inputs: ['pixels/centred', 'scale'], outputs: ['input'] },
    ],
    initializers: [
      { name: 'mean', shape: [1, 3, 1, 1], data: Float32Array.from(mean) },
      { name: 'scale', shape: [], data: Float32Array.of(contract.scale) },
    ],
  };
}

function layerPart(layer: Layer, input: string, program: Program, isFirst: boolean): GraphPart {
  const { name } = layer;
  if (layer.kind === 'maxPool') {
    const attributes = { kernel_shape: [2, 2], strides: [2, 2] };
    return { nodes: [{ op: 'MaxPool', inputs: [input], outputs: [name], attributes }], initializers: [] };
  }
  const { inputs, filters } = layer;
  const reverse = isFirst && program.contract.channelOrder === 'BGR';
  const hwio = weightsOf(program, `${name}/kernel`, 9 * inputs * filters);
  return {
    nodes: [
      {
        op: 'Conv',
        inputs: [input, `${name}/kernel`, `${name}/bias`],
        outputs: [`${name}/linear`],
        attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
      },
      { op: 'Relu', inputs: [`${name}/linear`], outputs: [name] },
    ],
    initializers: [
      {
        name: `${name}/kernel`,
        shape: [filters, inputs, 3, 3],
        data: kernelToOnnx(hwio, inputs, filters, reverse),
      },
      { name: `${name}/bias`, shape: [filters], data: weightsOf(program, `${name}/bias`, filters) },
    ],
  };
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

/**
 * A program as an ONNX graph: the contract's arithmetic, the layers up to the deepest cut and no further, one output per pooling.
 * Throws OPTION_INVALID for an unknown cut, no or repeated outputs, or a size that pooling reduces to nothing;
 * WEIGHTS_MISMATCH for weights of another backbone.
 */
export function programGraph(program: Program): OnnxGraph {
  const { backbone, contract, outputs } = program;
  const parts = [preprocessing(program)];
  let input = 'input';
  neededLayers(program).forEach((layer, i) => {
    parts.push(layerPart(layer, input, program, i === 0));
    input = layer.name;
  });
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
