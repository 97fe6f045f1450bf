import type { OnnxNode, OnnxTensor } from '../../core/onnx-model.ts';
import type { ConvLayer } from '../backbones/backbone.ts';
import { weightsOf, type GraphPart } from './graph-part.ts';
import { kernelByTap } from './kernel-layout.ts';
import { OF_KERNELS, OF_PRODUCTS, OF_TILES, TILE_IN as IN, TILE_OUT as OUT } from './winograd-transforms.ts';
import type { Program } from '../program.ts';

/** What all Winograd layers of a graph share: the transforms of tiles, kernels and products. */
export const WINOGRAD_CONSTANTS: readonly OnnxTensor[] = [
  { name: 'winograd/tiles', shape: [IN * IN, 1, IN, IN], data: OF_TILES },
  { name: 'winograd/kernels', shape: [IN * IN, 9], data: OF_KERNELS },
  { name: 'winograd/outputs', shape: [OUT * OUT, IN * IN], data: OF_PRODUCTS },
];

const sizes = (name: string, values: readonly number[]): OnnxTensor => ({
  name,
  shape: [values.length],
  data: BigInt64Array.from(values, BigInt),
});

/**
 * A convolution on maps of `side` x `side`, from `input` to the tensor of the layer's name, by Winograd's minimal
 * filtering: tiles and kernels are transformed, multiplied as 36 matrix products, and transformed back. Within 1e-5 of
 * the largest value of the direct sum. Constant folding would hold the transformed kernels, four times their size.
 */
export function winogradLayer(layer: ConvLayer, input: string, program: Program, side: number): GraphPart {
  const { name, inputs, filters } = layer;
  const across = Math.ceil(side / OUT);
  const padded = across * OUT;
  const at = (part: string): string => `${name}/${part}`;
  const node = (op: string, from: readonly string[], to: string, attributes?: OnnxNode['attributes']): OnnxNode => ({
    op,
    inputs: from,
    outputs: [to],
    ...(attributes && { attributes }),
  });
  const end = padded - side + 1;
  const whole = padded === side ? at('whole') : at('cropped');
  const nodes: OnnxNode[] = [
    // Kernels (9, filters x inputs) to (36, filters, inputs).
    node('MatMul', ['winograd/kernels', at('kernel')], at('kernel/wide')),
    node('Reshape', [at('kernel/wide'), at('kernel/shape')], at('kernel/winograd')),
    // Maps to tiles: each channel alone, (batch x inputs, 36, across, across), then (36, inputs, batch x tiles).
    node('Reshape', [input, at('maps/shape')], at('maps')),
    node('Conv', [at('maps'), 'winograd/tiles'], at('tiles'), {
      kernel_shape: [IN, IN],
      strides: [OUT, OUT],
      pads: [1, 1, end, end],
    }),
    node('Reshape', [at('tiles'), at('tiles/shape')], at('tiles/split')),
    node('Transpose', [at('tiles/split')], at('tiles/turned'), { perm: [2, 1, 0, 3] }),
    node('Reshape', [at('tiles/turned'), at('tiles/flat')], at('tiles/matrices')),
    // 36 products, then (16, filters x batch x tiles), and the tiles back in their places.
    node('MatMul', [at('kernel/winograd'), at('tiles/matrices')], at('products')),
    node('Reshape', [at('products'), at('products/shape')], at('products/wide')),
    node('MatMul', ['winograd/outputs', at('products/wide')], at('outputs')),
    node('Reshape', [at('outputs'), at('outputs/shape')], at('outputs/split')),
    node('Transpose', [at('outputs/split')], at('outputs/turned'), { perm: [3, 2, 4, 0, 5, 1] }),
    node('Reshape', [at('outputs/turned'), at('whole/shape')], at('whole')),
    ...(padded === side ? [] : [node('Slice', [at('whole'), at('crop/from'), at('crop/to'), at('crop/axes')], whole)]),
    node('Add', [whole, at('bias')], at('linear')),
    node('Relu', [at('linear')], name),
  ];
  const tiles = across * across;
  const kernel = weightsOf(program, at('kernel'), 9 * inputs * filters);
  return {
    nodes,
    initializers: [
      { name: at('kernel'), shape: [9, filters * inputs], data: kernelByTap(kernel, inputs, filters) },
      { name: at('bias'), shape: [1, filters, 1, 1], data: weightsOf(program, at('bias'), filters) },
      sizes(at('kernel/shape'), [IN * IN, filters, inputs]),
      sizes(at('maps/shape'), [-1, 1, side, side]),
      sizes(at('tiles/shape'), [-1, inputs, IN * IN, tiles]),
      sizes(at('tiles/flat'), [IN * IN, inputs, -1]),
      sizes(at('products/shape'), [IN * IN, -1]),
      sizes(at('outputs/shape'), [OUT, OUT, filters, -1, across, across]),
      sizes(at('whole/shape'), [-1, filters, padded, padded]),
      ...(padded === side
        ? []
        : [sizes(at('crop/from'), [0, 0]), sizes(at('crop/to'), [side, side]), sizes(at('crop/axes'), [2, 3])]),
    ],
  };
}
