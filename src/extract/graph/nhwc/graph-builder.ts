import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValue } from '../../../core/onnx-model.ts';

type Attributes = Readonly<Record<string, OnnxAttribute>>;
type Shape = readonly number[];

/** Writes an ONNX graph node by node. Tensors go by their names; constants of one name are held once. */
export interface GraphBuilder {
  /** One operator; gives the name of its output. */
  op(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** The constant `name`, whose values are made when it is first asked for. */
  constant(name: string, shape: Shape, data: () => OnnxTensor['data']): string;
  ints(values: readonly number[]): string;
  float(value: number): string;
  input(name: string, shape: OnnxValue['shape']): string;
  /** What a runtime gives back. The first one told is computed first. */
  output(name: string, from: string, shape: OnnxValue['shape']): void;
  /** -1 stands for one size that follows from the others. */
  reshape(x: string, shape: Shape): string;
  transpose(x: string, perm: Shape): string;
  matMul(a: string, b: string): string;
  sum(x: string, axes: Shape, keepdims?: 0 | 1): string;
  graph(name: string): OnnxGraph;
}

export function graphBuilder(): GraphBuilder {
  const nodes: OnnxNode[] = [];
  const told: { readonly name: string; readonly from: string }[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const initializers = new Map<string, OnnxTensor>();

  const op: GraphBuilder['op'] = (name, from, attributes) => {
    const to = `${name}/${nodes.length}`;
    nodes.push({ op: name, inputs: from, outputs: [to], ...(attributes && { attributes }) });
    return to;
  };
  const constant: GraphBuilder['constant'] = (name, shape, data) => {
    if (!initializers.has(name)) initializers.set(name, { name, shape, data: data() });
    return name;
  };
  const ints: GraphBuilder['ints'] = (values) =>
    constant(`ints/${values.join('_')}`, [values.length], () => BigInt64Array.from(values, BigInt));

  return {
    op,
    constant,
    ints,
    float: (value) => constant(`float/${value}`, [], () => Float32Array.of(value)),
    input(name, shape) {
      inputs.push({ name, type: 'float32', shape });
      return name;
    },
    output(name, from, shape) {
      outputs.push({ name, type: 'float32', shape });
      told.push({ name, from });
    },
    reshape: (x, shape) => op('Reshape', [x, ints(shape)]),
    transpose: (x, perm) => op('Transpose', [x], { perm }),
    matMul: (a, b) => op('MatMul', [a, b]),
    sum: (x, axes, keepdims = 0) => op('ReduceSum', [x, ints(axes)], { keepdims }),
    graph: (name) => ({
      name,
      nodes: withOutputsLast(nodes, told),
      inputs,
      outputs,
      initializers: [...initializers.values()],
    }),
  };
}

/**
 * The nodes in an order that is right, those that nothing reads but the caller standing last, the first told very last:
 * ONNX Runtime walks back from the last of such nodes (graph.cc, ReverseDFSFrom), so that what it needs runs first.
 */
function withOutputsLast(
  nodes: readonly OnnxNode[],
  told: readonly { readonly name: string; readonly from: string }[],
): readonly OnnxNode[] {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  const last: OnnxNode[] = [];
  const moved = new Set<OnnxNode>();
  for (const { name, from } of told) {
    const node = nodes.find(({ outputs }) => outputs[0] === from);
    if (node === undefined || read.has(from)) {
      last.push({ op: 'Identity', inputs: [from], outputs: [name] });
      continue;
    }
    moved.add(node);
    last.push({ ...node, outputs: [name] });
  }
  return [...nodes.filter((node) => !moved.has(node)), ...last.toReversed()];
}
