import { integersOf } from './node-attributes.ts';
import type { OnnxFile, WireNode } from '../backbones/onnx-file.ts';
import { depths } from './cut-graph.ts';

/** The order of a map's axes. */
export type Layout = 'NCHW' | 'NHWC';

/** Operators whose maps have the channels first by the standard. */
const CHANNELS_FIRST = new Set([
  'Conv',
  'ConvTranspose',
  'ConvInteger',
  'QLinearConv',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'GlobalMaxPool',
  'GlobalAveragePool',
  'BatchNormalization',
  'InstanceNormalization',
  'GroupNormalization',
  'LRN',
  'DepthToSpace',
  'SpaceToDepth',
]);
/** Operators that leave each value where it is; of several inputs the first that is computed counts. */
const IN_PLACE = new Set([
  'Relu',
  'Clip',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Selu',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Tanh',
  'Erf',
  'Gelu',
  'Mish',
  'Softplus',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Sqrt',
  'Exp',
  'Max',
  'Min',
  'Sum',
  'Identity',
  'Cast',
  'Dropout',
  'Pad',
  'QuantizeLinear',
  'DequantizeLinear',
  'Concat',
  'LayerNormalization',
  'Resize',
  'Upsample',
]);

const LAYOUTS: Readonly<Record<Layout, string>> = { NCHW: '0,1,2,3', NHWC: '0,2,3,1' };

/** The layout of a map whose axes are those of NCHW in this order; undefined for any other order. */
const layoutOfOrder = (order: readonly number[]): Layout | undefined =>
  order.join() === LAYOUTS.NCHW ? 'NCHW' : order.join() === LAYOUTS.NHWC ? 'NHWC' : undefined;

const TO_LAST = [0, 2, 3, 1];

/** The order after a Transpose: output axis i is the input's axis perm[i]. */
const after = (order: readonly number[], perm: readonly number[] | undefined): readonly number[] =>
  perm?.length === 4 ? perm.map((axis) => order[axis]!) : [];

/**
 * The layout of a tensor of four axes by the operators that lead to it: convolutions and pools write NCHW,
 * transpositions reorder, elementwise operators keep. Undefined where something else lies between.
 */
export function layoutByGraph(
  file: OnnxFile,
  tensor: string,
  input: { readonly name: string; readonly layout: Layout },
): Layout | undefined {
  const writers = depths(file);
  const transposes: WireNode[] = [];
  let at = tensor;
  let order: readonly number[] | undefined;
  // Each step leads to an earlier node, so there is an end.
  while (order === undefined) {
    if (at === input.name) order = input.layout === 'NCHW' ? [0, 1, 2, 3] : TO_LAST;
    const node = file.nodes[writers.get(at) ?? -1];
    if (order !== undefined || node === undefined) break;
    if (CHANNELS_FIRST.has(node.op)) order = [0, 1, 2, 3];
    else if (node.op === 'Transpose') transposes.push(node);
    else if (!IN_PLACE.has(node.op)) return undefined;
    at = node.inputs.find((name) => writers.has(name) || name === input.name) ?? '';
  }
  if (order === undefined) return undefined;
  return layoutOfOrder(transposes.toReversed().reduce((now, node) => after(now, integersOf(node, 'perm')), order));
}

/** Layouts by the order in which a convolution reads the input's axes. */
const AS_NCHW: Readonly<Record<string, Layout | undefined>> = { '0,1,2,3': 'NCHW', '0,3,1,2': 'NHWC' };

/** The layout of an input by the first operators that read it: a convolution takes NCHW, as it is or transposed. */
export function layoutByReaders(file: OnnxFile, input: string): Layout | undefined {
  const reached = new Map<string, readonly number[]>([[input, [0, 1, 2, 3]]]);
  for (const node of file.nodes) {
    const order = node.inputs.map((name) => reached.get(name)).find((one) => one !== undefined);
    if (order === undefined) continue;
    if (CHANNELS_FIRST.has(node.op)) return AS_NCHW[order.join()];
    const next =
      node.op === 'Transpose' ? after(order, integersOf(node, 'perm')) : IN_PLACE.has(node.op) ? order : undefined;
    if (next?.length === 4) for (const output of node.outputs) reached.set(output, next);
  }
  return undefined;
}
