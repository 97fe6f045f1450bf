import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../src/core/onnx-model.ts';
import { random } from '../../src/core/random.ts';
import { bytesField, fieldsOf, joined, numberField, textField, wireSource } from '../../src/extract/onnx/wire/wire.ts';

const source = () =>
  wireSource((found) => {
    throw new Error(found);
  });

/** The GraphProto of a graph. */
export function graphProto(graph: OnnxGraph): Uint8Array {
  for (const { id, bytes } of fieldsOf(encodeOnnx(graph), source())) if (id === 7) return bytes;
  throw new Error('no graph');
}

/** A node as a field of a GraphProto, in any domain and with attributes that the encoder does not write. */
export function nodeProto(node: {
  readonly op: string;
  readonly domain?: string;
  readonly name?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  /** GraphProtos by the name of the attribute. */
  readonly graphs?: Readonly<Record<string, Uint8Array>>;
}): Uint8Array {
  const { op, domain = '', name = '', inputs = [], outputs = [], graphs = {} } = node;
  // AttributeProto: 1 name, 6 g, 20 type (GRAPH 5).
  const attributes = Object.entries(graphs).flatMap(([key, graph]) =>
    bytesField(5, ...textField(1, key), ...bytesField(6, graph), ...numberField(20, 5)),
  );
  return joined(
    bytesField(
      1,
      ...inputs.flatMap((input) => textField(1, input)),
      ...outputs.flatMap((output) => textField(2, output)),
      ...textField(3, name),
      ...textField(4, op),
      ...textField(7, domain),
      ...attributes,
    ),
  );
}

/** An output without type or shape, as a field of a GraphProto. */
export const outputProto = (name: string): Uint8Array => joined(bytesField(12, ...textField(1, name)));

export interface ModelChoices {
  readonly ir?: number;
  /** Version by domain. */
  readonly opsets?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Fields that follow the graph's own in the GraphProto. */
  readonly graphFields?: readonly Uint8Array[];
  /** Fields that follow the others in the ModelProto. */
  readonly modelFields?: readonly Uint8Array[];
}

/** A ModelProto of a graph, in any version. */
export function modelProto(graph: OnnxGraph, choices: ModelChoices = {}): Uint8Array {
  const { ir = 8, opsets = { '': 17 }, metadata = {}, graphFields = [], modelFields = [] } = choices;
  return joined([
    ...numberField(1, ir),
    ...bytesField(7, graphProto(graph), ...graphFields),
    ...Object.entries(opsets).flatMap(([domain, version]) =>
      bytesField(8, ...textField(1, domain), ...numberField(2, version)),
    ),
    ...Object.entries(metadata).flatMap(([key, value]) => bytesField(14, ...textField(1, key), ...textField(2, value))),
    ...modelFields,
  ]);
}

/** Weights of a normal-like spread that do not blow up a sum of `inputs`. */
export function weights(name: string, shape: readonly number[], seed: number, inputs = shape[1] ?? 1): OnnxTensor {
  const generator = random(seed);
  const length = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length }, () => (2 * generator.uniform() - 1) * Math.sqrt(3 / inputs));
  return { name, shape, data };
}

const node = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode => ({ op, inputs, outputs: [output], attributes });

export interface NetChoices {
  readonly batch?: number | string;
  readonly size?: number | string;
  readonly layout?: 'NCHW' | 'NHWC';
}

/**
 * A network of two blocks, 3 to 8 channels, stride 2, `stem` (8), `block1` (a sum, 8), `pool` (8, half), `features` (8)
 * and `logits` (5).
 */
export function convNet({ batch = 'batch', size = 16, layout = 'NCHW' }: NetChoices = {}): OnnxGraph {
  const isFirst = layout === 'NCHW';
  const pads = [1, 1, 1, 1];
  return {
    name: 'conv-net',
    nodes: [
      ...(isFirst ? [] : [node('Transpose', ['image'], 'image/nchw', { perm: [0, 3, 1, 2] })]),
      node('Conv', [isFirst ? 'image' : 'image/nchw', 'stem/w', 'stem/b'], 'stem/linear', { pads, strides: [2, 2] }),
      node('Relu', ['stem/linear'], 'stem'),
      node('Conv', ['stem', 'block1/w'], 'block1/conv', { pads }),
      node('Add', ['stem', 'block1/conv'], 'block1/sum'),
      node('Relu', ['block1/sum'], 'block1'),
      node('MaxPool', ['block1'], 'pool', { kernel_shape: [2, 2], strides: [2, 2] }),
      node('GlobalAveragePool', ['pool'], 'gap'),
      node('Flatten', ['gap'], 'features', { axis: 1 }),
      node('Gemm', ['features', 'fc/w', 'fc/b'], 'logits', { transB: 1 }),
    ],
    initializers: [
      weights('stem/w', [8, 3, 3, 3], 1, 27),
      weights('stem/b', [8], 2, 100),
      weights('block1/w', [8, 8, 3, 3], 3, 72),
      weights('fc/w', [5, 8], 4),
      weights('fc/b', [5], 5, 10),
    ],
    inputs: [{ name: 'image', type: 'float32', shape: isFirst ? [batch, 3, size, size] : [batch, size, size, 3] }],
    outputs: [{ name: 'logits', type: 'float32', shape: [batch, 5] }],
  };
}

/** The same in 8 bits around its convolution and its product: a file that computes on integers as it is (QDQ). */
export function quantizedConvNet(): OnnxGraph {
  const graph = convNet();
  const q = (name: string, output: string): OnnxNode[] => [
    node('QuantizeLinear', [name, 'step', 'zero'], `${output}/q`),
    node('DequantizeLinear', [`${output}/q`, 'step', 'zero'], output),
  ];
  return {
    ...graph,
    nodes: graph.nodes.flatMap((one) =>
      one.outputs[0] === 'block1/conv'
        ? [...q('stem', 'stem/8'), { ...one, inputs: ['stem/8', 'block1/w'] }]
        : one.outputs[0] === 'logits'
          ? [...q('features', 'features/8'), { ...one, inputs: ['features/8', 'fc/w', 'fc/b'] }]
          : [one],
    ),
    initializers: [
      ...graph.initializers,
      { name: 'step', shape: [], data: Float32Array.of(1 / 32) },
      { name: 'zero', shape: [], data: Uint8Array.of(0) },
    ],
  };
}

const int64 = (name: string, ...values: readonly number[]): OnnxTensor => ({
  name,
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});
const float = (name: string, value: number): OnnxTensor => ({ name, shape: [], data: Float32Array.of(value) });

/**
 * A normalisation over the last axis from opset 7 on: x to `output`, written out as exporters did before
 * LayerNormalization.
 */
function layerNorm(x: string, output: string): OnnxNode[] {
  return [
    node('ReduceMean', [x], `${output}/mean`, { axes: [-1] }),
    node('Sub', [x, `${output}/mean`], `${output}/centred`),
    node('Mul', [`${output}/centred`, `${output}/centred`], `${output}/squares`),
    node('ReduceMean', [`${output}/squares`], `${output}/variance`, { axes: [-1] }),
    node('Add', [`${output}/variance`, 'epsilon'], `${output}/shifted`),
    node('Sqrt', [`${output}/shifted`], `${output}/deviation`),
    node('Div', [`${output}/centred`, `${output}/deviation`], output),
  ];
}

const WIDTH = 12;

/** One block of attention and one dense one, each a sum: `${name}/attended` and `${name}`. */
function tokenBlock(
  x: string,
  name: string,
  seed: number,
  isProjected: boolean,
): { nodes: OnnxNode[]; initializers: OnnxTensor[] } {
  const at = (part: string): string => `${name}/${part}`;
  return {
    nodes: [
      ...layerNorm(x, at('norm1')),
      ...['q', 'k', 'v'].map((part) => node('MatMul', [at('norm1'), at(`${part}/w`)], at(part))),
      node('Transpose', [at('k')], at('kt'), { perm: [0, 2, 1] }),
      node('MatMul', [at('q'), at('kt')], at('likeness')),
      node('Softmax', [at('likeness')], at('attention'), { axis: -1 }),
      node('MatMul', [at('attention'), at('v')], at('mixed')),
      ...(isProjected ? [node('MatMul', [at('mixed'), at('projection/w')], at('projection'))] : []),
      node('Add', [at(isProjected ? 'projection' : 'mixed'), x], at('attended')),
      ...layerNorm(at('attended'), at('norm2')),
      node('MatMul', [at('norm2'), at('dense/w')], at('dense/linear')),
      node('Add', [at('dense/linear'), at('dense/b')], at('dense')),
      node('Relu', [at('dense')], at('dense/relu')),
      node('MatMul', [at('dense/relu'), at('out/w')], at('out')),
      node('Add', [at('attended'), at('out')], name),
    ],
    initializers: [
      ...['q', 'k', 'v', 'projection', 'dense', 'out'].map((part, i) =>
        weights(at(`${part}/w`), [WIDTH, WIDTH], seed + i, WIDTH),
      ),
      weights(at('dense/b'), [WIDTH], seed + 9, 10),
    ],
  };
}

export interface TokenChoices {
  readonly classes?: number;
  /**
   * Whether attention is projected before it is added. Where it is not, OpenVINO 2026.4 ends its process (SIGSEGV) on
   * it.
   */
  readonly isProjected?: boolean;
}

/**
 * A vision transformer: patches of 4 pixels, `prefix` tokens in front, `block0` and `block1`, the normalised tokens as
 * the output `last_hidden_state` (batch, prefix + patches, 12), and, with `classes`, `logits` of the first token alone.
 */
export function tokenNet(size = 16, prefix = 1, { classes = 0, isProjected = true }: TokenChoices = {}): OnnxGraph {
  const patches = (size / 4) ** 2;
  const blocks = [tokenBlock('tokens', 'block0', 20, isProjected), tokenBlock('block0', 'block1', 40, isProjected)];
  const inFront = prefix > 0;
  const nodes = [
    node('Conv', ['pixel_values', 'patch/w'], 'patch/map', { kernel_shape: [4, 4], strides: [4, 4] }),
    node('Reshape', ['patch/map', 'patch/shape'], 'patch/columns'),
    node('Transpose', ['patch/columns'], 'patch/rows', { perm: [0, 2, 1] }),
    ...(inFront
      ? [
          node('Shape', ['pixel_values'], 'shape'),
          node('Gather', ['shape', 'zero'], 'batch'),
          node('Concat', ['batch', 'prefix/size'], 'prefix/shape', { axis: 0 }),
          node('Expand', ['prefix/tokens', 'prefix/shape'], 'prefix'),
          node('Concat', ['prefix', 'patch/rows'], 'all', { axis: 1 }),
        ]
      : [node('Identity', ['patch/rows'], 'all')]),
    node('Add', ['all', 'position'], 'tokens'),
    ...blocks.flatMap((block) => block.nodes),
    ...layerNorm('block1', 'last_hidden_state'),
    ...(classes > 0
      ? [
          node('Gather', ['last_hidden_state', 'zero'], 'first', { axis: 1 }),
          node('Flatten', ['first'], 'class token', { axis: 1 }),
          node('MatMul', ['class token', 'head/w'], 'head/linear'),
          node('Add', ['head/linear', 'head/b'], 'logits'),
        ]
      : []),
  ];
  const needed = new Set(nodes.flatMap(({ inputs }) => inputs));
  const initializers = [
    weights('patch/w', [WIDTH, 3, 4, 4], 11, 48),
    int64('patch/shape', 0, WIDTH, -1),
    int64('zero', 0),
    int64('prefix/size', Math.max(1, prefix), WIDTH),
    weights('prefix/tokens', [1, Math.max(1, prefix), WIDTH], 12, 1),
    weights('position', [1, prefix + patches, WIDTH], 13, 10),
    float('epsilon', 1e-6),
    ...blocks.flatMap((block) => block.initializers),
    weights('head/w', [WIDTH, Math.max(1, classes)], 14, WIDTH),
    weights('head/b', [Math.max(1, classes)], 15, 10),
  ];
  return {
    name: 'token-net',
    nodes,
    initializers: initializers.filter(({ name }) => needed.has(name)),
    inputs: [{ name: 'pixel_values', type: 'float32', shape: ['batch', 3, size, size] }],
    outputs:
      classes > 0
        ? [{ name: 'logits', type: 'float32', shape: ['batch', classes] }]
        : [{ name: 'last_hidden_state', type: 'float32', shape: ['batch', prefix + patches, WIDTH] }],
  };
}

/** A TensorProto of float32 whose values lie in another file: 13 external_data, 14 data_location. */
export function externalTensor(
  name: string,
  dims: readonly number[],
  entries: Readonly<Record<string, string>>,
): Uint8Array {
  return joined([
    ...dims.flatMap((size) => numberField(1, size)),
    ...numberField(2, 1),
    ...textField(8, name),
    ...Object.entries(entries).flatMap(([key, value]) => bytesField(13, ...textField(1, key), ...textField(2, value))),
    ...numberField(14, 1),
  ]);
}

/** Bits of a number in half precision that has an exact one: at most 11 binary digits, not too large or small. */
function halfBits(value: number): number {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer) as unknown as [number];
  if (value === 0) return 0;
  return ((bits >>> 16) & 0x8000) | ((((bits >>> 23) & 255) - 112) << 10) | ((bits >>> 13) & 1023);
}

/** A TensorProto of float16 as a field of a GraphProto: 1 dims, 2 data_type, 8 name, 9 raw_data. */
export const halfTensor = ({ name, shape, data }: OnnxTensor): Uint8Array =>
  joined(
    bytesField(
      5,
      ...shape.flatMap((size) => numberField(1, size)),
      ...numberField(2, 10),
      ...textField(8, name),
      ...bytesField(9, new Uint8Array(Uint16Array.from(data as Float32Array, halfBits).buffer)),
    ),
  );

/**
 * A function from `a` to `b` as a field of a ModelProto: 1 name, 4 input, 5 output, 7 node, 9 opset_import, 10 domain.
 */
export function functionProto(domain: string, name: string, nodes: readonly Uint8Array[]): Uint8Array {
  return joined(
    bytesField(
      25,
      ...textField(1, name),
      ...textField(4, 'a'),
      ...textField(5, 'b'),
      // A node is field 1 of a graph and field 7 of a function.
      ...nodes.flatMap((node) => [Uint8Array.of(0x3a), node.subarray(1)]),
      ...['', domain].flatMap((one) => bytesField(9, ...textField(1, one), ...numberField(2, one === '' ? 17 : 1))),
      ...textField(10, domain),
    ),
  );
}
