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
  /** What a runtime gives back. The first one told is computed first, and what it alone needs is freed first. */
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
  const outputNodes: OnnxNode[] = [];
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
      outputNodes.push({ op: 'Identity', inputs: [from], outputs: [name] });
      outputs.push({ name, type: 'float32', shape });
    },
    reshape: (x, shape) => op('Reshape', [x, ints(shape)]),
    transpose: (x, perm) => op('Transpose', [x], { perm }),
    matMul: (a, b) => op('MatMul', [a, b]),
    sum: (x, axes, keepdims = 0) => op('ReduceSum', [x, ints(axes)], { keepdims }),
    // ONNX Runtime walks back from the last node that nothing reads (graph.cc, ReverseDFSFrom): that one runs first.
    graph: (name) => ({
      name,
      nodes: [...nodes, ...outputNodes.toReversed()],
      inputs,
      outputs,
      initializers: [...initializers.values()],
    }),
  };
}
