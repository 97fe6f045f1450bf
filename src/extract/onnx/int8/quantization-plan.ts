import { PermafrostError } from '../../../core/errors.ts';
import type { OnnxFile, WireNode, WireTensor } from '../../backbones/onnx-file.ts';
import { floatOf, integersOf } from '../node-attributes.ts';
import { cutGraph } from '../cut-graph.ts';
import { readBy } from '../wire/topology.ts';
import { constantsOf, floatsOf } from './constants.ts';

/** An operator that multiplies by constants: Conv, Gemm or MatMul. */
export interface Product {
  /** What is multiplied. */
  readonly data: string;
  readonly weight: WireTensor;
  /** The axis of the weight that output channels lie along. */
  readonly axis: number;
  readonly bias?: WireTensor;
}

/** Whether a product adds biases, or could: those take out what rounding its weights adds on average. */
export const takesBias = ({ op, inputs }: WireNode): boolean => op !== 'MatMul' && inputs[2] !== '';

/** What of a file runs on 8 bits. It is of the whole file, so that no feature depends on what else is extracted. */
export interface QuantizationPlan {
  /** The products on integers. The first ones, which read pixels, stay in float32: they are little, and delicate. */
  readonly products: ReadonlyMap<WireNode, Product>;
  /** Tensors that are rounded to 8 bits, and the tensor whose range each takes. */
  readonly steps: ReadonlyMap<string, string>;
  /** Relu and Clip behind a product: rounding to a range within their bounds does what they do. */
  readonly activations: ReadonlyMap<WireNode, Bounds>;
}

/** What an activation cuts off at. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** QuantizeLinear has been per channel, and Clip has its bounds as inputs, since. */
const LEAST_OPSET = 13;

function productOf(node: WireNode, constants: ReadonlyMap<string, WireTensor>): Product | undefined {
  const [data = '', weightName = '', biasName = ''] = node.inputs;
  const weight = constants.get(weightName);
  if (node.domain !== '' || weight?.type !== 1 || constants.has(data)) return undefined;
  const bias = constants.get(biasName);
  const rank = weight.dims.length;
  const hasOddBias = biasName !== '' && (bias?.type !== 1 || bias.dims.length !== 1);
  const product = { data, weight, ...(bias && { bias }) };
  if (node.op === 'Conv') return rank < 3 || hasOddBias ? undefined : { ...product, axis: 0 };
  if (node.op === 'MatMul') return rank === 2 ? { data, weight, axis: 1 } : undefined;
  if (node.op !== 'Gemm' || rank !== 2 || hasOddBias) return undefined;
  const isPlain = ['alpha', 'beta'].every((name) => (floatOf(node, name) ?? 1) === 1);
  if (!isPlain || (integersOf(node, 'transA')?.[0] ?? 0) !== 0) return undefined;
  const axis = (integersOf(node, 'transB')?.[0] ?? 0) === 0 ? 1 : 0;
  // The bias is one a channel, or the same for all.
  return bias !== undefined && bias.dims[0] !== weight.dims[axis] ? undefined : { ...product, axis };
}

/** The products behind another one. */
function productsOf({ nodes }: OnnxFile, constants: ReadonlyMap<string, WireTensor>): Map<WireNode, Product> {
  const products = new Map<WireNode, Product>();
  const behind = new Set<string>();
  for (const node of nodes) {
    const product = productOf(node, constants);
    if (product !== undefined && behind.has(product.data)) products.set(node, product);
    if (product !== undefined || readBy(node).some((name) => behind.has(name)))
      for (const name of node.outputs) behind.add(name);
  }
  return products;
}

/** The constant bounds of an activation that does no more than to cut off; undefined for others. */
function boundsOf({ op, domain, inputs }: WireNode, constants: ReadonlyMap<string, WireTensor>): Bounds | undefined {
  if (domain !== '') return undefined;
  if (op === 'Relu') return { min: 0, max: Infinity };
  if (op !== 'Clip') return undefined;
  const bound = (name: string | undefined, none: number): number => {
    if (name === undefined || name === '') return none;
    const constant = constants.get(name);
    return (constant && floatsOf(constant)?.[0]) ?? NaN;
  };
  const bounds = { min: bound(inputs[1], -Infinity), max: bound(inputs[2], Infinity) };
  return bounds.min <= bounds.max ? bounds : undefined;
}

/** Whether a file computes on integers as it is. */
export const isQuantized = ({ nodes }: OnnxFile): boolean =>
  nodes.some(({ op }) => op === 'QuantizeLinear' || op === 'DynamicQuantizeLinear' || op === 'QLinearConv');

/** Throws OPTION_INVALID for a file that int8 cannot be made of, with the reason. */
function requireQuantizable(file: OnnxFile, products: number): void {
  const { path, opsets } = file;
  const refuse = (why: string): never => {
    throw new PermafrostError('OPTION_INVALID', `int8 cannot be made of ${path}: ${why}`);
  };
  const opset = opsets.get('') ?? 0;
  if (isQuantized(file))
    refuse('it is quantized already, and runs on integers as it is. Take --precision fp32, which leaves it alone.');
  if (opset < LEAST_OPSET)
    refuse(`it is of opset ${opset}, and 8 bits a channel need ${LEAST_OPSET}. Export it with opset 17, or take fp32.`);
  if (products === 0)
    refuse('it has no Conv, Gemm or MatMul with constant float32 weights behind its first one. Take --precision fp32.');
}

/** What of a file runs on 8 bits. Throws OPTION_INVALID where nothing can. */
export function quantizationPlan(file: OnnxFile): QuantizationPlan {
  const constants = constantsOf(file);
  const products = productsOf(file, constants);
  requireQuantizable(file, products.size);
  const readers = new Map<string, WireNode[]>();
  for (const node of file.nodes)
    for (const name of readBy(node)) readers.set(name, [...(readers.get(name) ?? []), node]);
  const given = new Set(file.outputs.map(({ name }) => name));
  const onlyReader = (name: string): WireNode | undefined => {
    const [reader, ...others] = readers.get(name) ?? [];
    return others.length === 0 && !given.has(name) ? reader : undefined;
  };
  const steps = new Map<string, string>();
  const activations = new Map<WireNode, Bounds>();
  for (const [node, { data }] of products) {
    steps.set(data, data);
    const output = node.outputs[0]!;
    const reader = onlyReader(output);
    const bounds = reader?.inputs[0] === output ? boundsOf(reader, constants) : undefined;
    const last = bounds === undefined ? output : reader!.outputs[0]!;
    if (bounds !== undefined) activations.set(reader!, bounds);
    steps.set(last, last);
  }
  // What MaxPool and Concat hand on is rounded once, in front of them.
  const written = new Set(file.nodes.flatMap(({ outputs }) => outputs));
  for (const { op, domain, inputs, outputs } of file.nodes.toReversed()) {
    const range = steps.get(outputs[0] ?? '');
    if (range === undefined || domain !== '' || (op !== 'MaxPool' && op !== 'Concat')) continue;
    const isAlone = (name: string): boolean =>
      written.has(name) && !constants.has(name) && onlyReader(name) !== undefined;
    if (inputs.every(isAlone)) for (const name of inputs) steps.set(name, range);
  }
  return { products, steps, activations };
}

/** The tensors of a plan that are rounded on the way to a cut, with the tensors whose ranges they take. */
export function stepsUpTo(file: OnnxFile, { steps }: QuantizationPlan, cut: string): ReadonlyMap<string, string> {
  const needed = new Set([cut, ...cutGraph(file, [cut]).nodes.flatMap(({ outputs }) => outputs)]);
  return new Map([...steps].filter(([tensor]) => needed.has(tensor)));
}
