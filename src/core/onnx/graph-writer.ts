import type { OnnxAttribute, OnnxNode, OnnxTensor } from '../onnx-model.ts';

type Attributes = Readonly<Record<string, OnnxAttribute>>;
type Data = OnnxTensor['data'];

/** TensorProto.DataType of onnx.proto, as Cast takes it. */
export const CAST = { float32: 1, uint8: 2, int64: 7, bool: 9, float16: 10, float64: 11 } as const;

/** Writes a part of an ONNX graph operator by operator; tensors go by their names, which begin with a prefix. */
export interface GraphWriter {
  /** One operator; gives the name of its output. */
  op(op: string, inputs: readonly string[], attributes?: Attributes): string;
  /** An operator of several outputs; gives their names. */
  ops(op: string, count: number, inputs: readonly string[], attributes?: Attributes): readonly string[];
  /** Gives `from` a name of its own. */
  named(name: string, from: string): string;
  constant(shape: readonly number[], data: Data): string;
  float(value: number): string;
  double(value: number): string;
  int(value: number): string;
  ints(...values: readonly number[]): string;
  cast(from: string, to: keyof typeof CAST): string;
  parts(): { readonly nodes: readonly OnnxNode[]; readonly initializers: readonly OnnxTensor[] };
}

/** A writer whose operators are those of opset 13 and mean the same up to 22. */
export function graphWriter(prefix: string): GraphWriter {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const scalars = new Map<string, string>();

  const ops: GraphWriter['ops'] = (op, count, inputs, attributes) => {
    const outputs = Array.from({ length: count }, (_, i) => `${prefix}${nodes.length}/${op}${count > 1 ? i : ''}`);
    nodes.push({ op, inputs, outputs, ...(attributes && { attributes }) });
    return outputs;
  };
  const op: GraphWriter['op'] = (name, inputs, attributes) => ops(name, 1, inputs, attributes)[0]!;
  const constant: GraphWriter['constant'] = (shape, data) => {
    const name = `${prefix}constant${initializers.length}`;
    initializers.push({ name, shape, data });
    return name;
  };
  const once = (key: string, shape: readonly number[], data: () => Data): string => {
    const known = scalars.get(key) ?? constant(shape, data());
    scalars.set(key, known);
    return known;
  };
  return {
    op,
    ops,
    constant,
    named(name, from) {
      nodes.push({ op: 'Identity', inputs: [from], outputs: [name] });
      return name;
    },
    float: (value) => once(`float ${value}`, [], () => Float32Array.of(value)),
    double: (value) => once(`double ${value}`, [], () => Float64Array.of(value)),
    int: (value) => once(`int ${value}`, [], () => BigInt64Array.of(BigInt(value))),
    ints: (...values) => once(`ints ${values.join()}`, [values.length], () => BigInt64Array.from(values, BigInt)),
    cast: (from, to) => op('Cast', [from], { to: CAST[to] }),
    parts: () => ({ nodes, initializers }),
  };
}
