import { PermafrostError } from '../../core/errors.ts';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../core/onnx-model.ts';
import { featureWidth, layersUpTo, outputShape } from '../backbones/cut-layers.ts';
import type { Layer } from '../backbones/backbone.ts';
import type { Output, Program } from '../engines/engine.ts';
import { kernelToOnnx } from './kernel-layout.ts';

/** The graph's one input: uint8 RGB pixels, shape (batch, size, size, 3). */
export const PIXELS = 'pixels';

/** The graph's name for an output, such as `block5_pool/flatten`; its type is float32, its shape (batch, width). */
export function outputName({ cut, pooling }: Output): string {
  return `${cut}/${pooling}`;
}

interface GraphPart {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

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

/** The values of a layer's tensor. Throws WEIGHTS_MISMATCH where the weights are those of another backbone. */
export function weightsOf({ backbone, weights }: Program, name: string, length: number): Float32Array {
  const data = weights.tensors.get(name)?.data;
  if (data?.length !== length) {
    throw new PermafrostError(
      'WEIGHTS_MISMATCH',
      `${backbone.name} needs ${length} values for ${name}, the weights have ${data?.length ?? 'none'}. Load weights for this backbone.`,
    );
  }
  return data;
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

/** The layers from the input to the deepest cut of the program. */
export function neededLayers({ backbone, outputs }: Program): readonly Layer[] {
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
