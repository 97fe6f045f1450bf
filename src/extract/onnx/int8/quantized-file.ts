import { PermafrostError } from '../../../core/errors.ts';
import type { OnnxNode, OnnxTensor } from '../../../core/onnx-model.ts';
import type { OnnxFile, WireNode, WireTensor } from '../../backbones/onnx-file.ts';
import { leastScales, quantizeAlong, quantizeBias } from '../../quantize-weights.ts';
import type { Quantization } from '../../program.ts';
import { rewired, wireParts } from '../assemble.ts';
import { joined, textField } from '../wire/wire.ts';
import { floatsOf } from './constants.ts';
import { meanShifts } from './mean-shifts.ts';
import {
  quantizationPlan,
  stepsUpTo,
  takesBias,
  type Bounds,
  type Product,
  type QuantizationPlan,
} from './quantization-plan.ts';

/** Steps of a tensor in 8 unsigned bits: value = (q - zero) * step. */
interface Steps {
  readonly step: number;
  readonly zero: number;
  /** What 0 and 255 stand for. */
  readonly bounds: Bounds;
}

/** Steps from the least to the largest calibrated value; 0 is one of them, as the padding of convolutions needs. */
function stepsOf(range: Bounds): Steps {
  const [min, max] = [Math.min(0, range.min), Math.max(0, range.max)];
  const step = Math.fround(max > min ? (max - min) / 255 : 1);
  const zero = Math.round(-min / step);
  return { step, zero, bounds: { min, max } };
}

/** Names of ours, which no tensor of the file begins with. */
function ownPrefix({ nodes, initializers }: OnnxFile): string {
  const names = [...initializers.keys(), ...nodes.flatMap(({ outputs }) => outputs)];
  let prefix = 'int8/';
  while (names.some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
  return prefix;
}

/** What is put together of a file and of parts of ours. */
interface Assembly {
  readonly prefix: string;
  readonly stepsOf: (tensor: string) => Steps | undefined;
  readonly means: NonNullable<Quantization['means']>;
  readonly nodes: WireNode[];
  readonly initializers: Map<string, WireTensor>;
}

function add(
  { prefix, nodes, initializers }: Assembly,
  ours: readonly OnnxNode[],
  constants: readonly OnnxTensor[],
): void {
  const parts = wireParts({ nodes: ours, initializers: constants }, `${prefix}node/`);
  nodes.push(...parts.nodes);
  for (const tensor of parts.initializers) initializers.set(tensor.name, tensor);
}

/** A tensor to 8 bits and back: what runtimes fuse with the operators on both sides. */
function addRoundTrip(assembly: Assembly, from: string, tensor: string, { step, zero }: Steps): void {
  const name = `${assembly.prefix}${tensor}`;
  const [scale, offset, q] = [`${name}/step`, `${name}/zero`, `${name}/q`];
  add(
    assembly,
    [
      { op: 'QuantizeLinear', inputs: [from, scale, offset], outputs: [q] },
      { op: 'DequantizeLinear', inputs: [q, scale, offset], outputs: [tensor] },
    ],
    [
      { name: scale, shape: [], data: Float32Array.of(step) },
      { name: offset, shape: [], data: Uint8Array.of(zero) },
    ],
  );
}

/** A node that reads one more tensor. */
const withInput = (node: WireNode, input: string): WireNode => ({
  ...node,
  inputs: [...node.inputs, input],
  bytes: joined([node.bytes, ...textField(1, input)]),
});

/** The biases of a product, zeros where it could have some and corrects by them; undefined where it has none. */
function biasesOf(node: WireNode, { weight, axis, bias }: Product, isCorrected: boolean) {
  if (bias !== undefined) return floatsOf(bias)!;
  return isCorrected && takesBias(node) ? new Float32Array(weight.dims[axis]!) : undefined;
}

/** A product with its weight in 8 signed bits, a scale a channel, and its bias in steps of its sums. */
function addProduct(assembly: Assembly, node: WireNode, product: Product): void {
  const { prefix } = assembly;
  const { data, weight, axis, bias } = product;
  const name = `${prefix}${node.outputs[0]}`;
  const values = floatsOf(weight)!;
  const means = assembly.means.get(data);
  const given = biasesOf(node, product, means !== undefined);
  const { step } = assembly.stepsOf(data)!;
  const kernel = quantizeAlong(values, weight.dims, axis, given && leastScales(given, step));
  const { q, scales } = kernel;
  const shifts = means && meanShifts(product, values, kernel, means);
  const biases = shifts && given ? given.map((value, channel) => value - shifts[channel]!) : given;
  const units = scales.map((scale) => scale * step);
  const constant = (
    what: string,
    shape: readonly number[],
    ints: Int8Array | Int32Array,
    by: Float32Array,
    along: number,
  ) => {
    const zeros = ints instanceof Int8Array ? new Int8Array(by.length) : new Int32Array(by.length);
    const names = [`${name}/${what}/q`, `${name}/${what}/scales`, `${name}/${what}/zeros`] as const;
    add(
      assembly,
      [{ op: 'DequantizeLinear', inputs: names, outputs: [`${name}/${what}`], attributes: { axis: along } }],
      [
        { name: names[0], shape, data: ints },
        { name: names[1], shape: [by.length], data: by },
        { name: names[2], shape: [by.length], data: zeros },
      ],
    );
    return `${name}/${what}`;
  };
  const inputs = new Map([[node.inputs[1]!, constant('weight', weight.dims, q, scales, axis)]]);
  const added = biases && constant('bias', [biases.length], quantizeBias(biases, units), units, 0);
  if (added !== undefined && bias !== undefined) inputs.set(node.inputs[2]!, added);
  const own = rewired(node, inputs);
  assembly.nodes.push(added !== undefined && bias === undefined ? withInput(own, added) : own);
}

const contains = (outer: Bounds, inner: Bounds): boolean => outer.min <= inner.min && outer.max >= inner.max;

/** A node as it runs on 8 bits: with integer weights, left out where rounding does what it does, rounded behind. */
function addNode(assembly: Assembly, node: WireNode, { products, activations }: QuantizationPlan): void {
  const [output = ''] = node.outputs;
  const steps = assembly.stepsOf(output);
  const bounds = activations.get(node);
  if (steps !== undefined && bounds !== undefined && contains(bounds, steps.bounds)) {
    addRoundTrip(assembly, node.inputs[0]!, output, steps);
    return;
  }
  const float = `${assembly.prefix}${output}/float`;
  const own = steps === undefined ? node : rewired(node, new Map([[output, float]]));
  const product = products.get(node);
  if (product === undefined) assembly.nodes.push(own);
  else addProduct(assembly, own, product);
  if (steps !== undefined) addRoundTrip(assembly, float, output, steps);
}

/** Throws OPTION_INVALID where the ranges are those of another network or an earlier cut. */
function requireRanges(needed: Iterable<string>, ranges: Quantization['ranges']): void {
  for (const name of needed) {
    if (ranges.has(name)) continue;
    throw new PermafrostError(
      'OPTION_INVALID',
      `The calibration has no range for ${name}: it was made for another backbone or an earlier cut. Calibrate for this cut.`,
    );
  }
}

/**
 * A file whose convolutions and matrix products run on 8 bits up to the cuts, as pairs of QuantizeLinear and
 * DequantizeLinear (QDQ); its tensors keep their names, and are float32. Throws OPTION_INVALID for a file that cannot,
 * and where a range is missing.
 */
export function quantizedFile(file: OnnxFile, { ranges, means }: Quantization, cuts: readonly string[]): OnnxFile {
  const plan = quantizationPlan(file);
  for (const cut of cuts) requireRanges(stepsUpTo(file, plan, cut).values(), ranges);
  const assembly: Assembly = {
    prefix: ownPrefix(file),
    stepsOf(tensor) {
      const range = ranges.get(plan.steps.get(tensor) ?? '');
      return range && stepsOf(range);
    },
    means: means ?? new Map(),
    nodes: [],
    initializers: new Map(file.initializers),
  };
  for (const node of file.nodes) {
    const product = plan.products.get(node);
    // Behind the deepest cut nothing was calibrated, and nothing runs.
    if (product !== undefined && assembly.stepsOf(product.data) === undefined) assembly.nodes.push(node);
    else addNode(assembly, node, plan);
  }
  return { ...file, nodes: assembly.nodes, initializers: assembly.initializers };
}
