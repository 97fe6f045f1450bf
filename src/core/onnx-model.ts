import protobuf from 'protobufjs/light.js';

/** Typed arrays that an ONNX initializer may hold, with their TensorProto.DataType (onnx.proto). */
export type OnnxData = Float32Array | Float64Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

export const ONNX_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;
export type OnnxType = keyof typeof ONNX_TYPE;

export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: OnnxData;
}

/** A string dimension is symbolic: any size, the same wherever the name is the same. */
export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** Integers become INT or INTS attributes; write `{ float: x }` for a FLOAT. */
export interface OnnxNode {
  /** By default that of its first output. No two nodes have one name. */
  readonly name?: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxTensor[];
}

const field = (id: number, type: string, rule?: 'repeated'): protobuf.IField => ({
  id,
  type,
  ...(rule && { rule }),
});
const message = (fields: Record<string, protobuf.IField>): protobuf.IType => ({ fields });

/** The part of onnx.proto (github.com/onnx/onnx, IR version 8) that permafrost writes, with the standard's numbers. */
const schema = protobuf.Root.fromJSON({
  nested: {
    ModelProto: message({
      irVersion: field(1, 'int64'),
      producerName: field(2, 'string'),
      graph: field(7, 'GraphProto'),
      opsetImport: field(8, 'OperatorSetIdProto', 'repeated'),
    }),
    OperatorSetIdProto: message({ domain: field(1, 'string'), version: field(2, 'int64') }),
    GraphProto: message({
      node: field(1, 'NodeProto', 'repeated'),
      name: field(2, 'string'),
      initializer: field(5, 'TensorProto', 'repeated'),
      input: field(11, 'ValueInfoProto', 'repeated'),
      output: field(12, 'ValueInfoProto', 'repeated'),
    }),
    NodeProto: message({
      input: field(1, 'string', 'repeated'),
      output: field(2, 'string', 'repeated'),
      name: field(3, 'string'),
      opType: field(4, 'string'),
      attribute: field(5, 'AttributeProto', 'repeated'),
    }),
    AttributeProto: message({
      name: field(1, 'string'),
      f: field(2, 'float'),
      i: field(3, 'int64'),
      s: field(4, 'bytes'),
      ints: field(8, 'int64', 'repeated'),
      type: field(20, 'int32'),
    }),
    TensorProto: message({
      dims: field(1, 'int64', 'repeated'),
      dataType: field(2, 'int32'),
      name: field(8, 'string'),
      rawData: field(9, 'bytes'),
    }),
    ValueInfoProto: message({ name: field(1, 'string'), type: field(2, 'TypeProto') }),
    TypeProto: message({ tensorType: field(1, 'TensorTypeProto') }),
    TensorTypeProto: message({ elemType: field(1, 'int32'), shape: field(2, 'TensorShapeProto') }),
    TensorShapeProto: message({ dim: field(1, 'DimensionProto', 'repeated') }),
    DimensionProto: message({ dimValue: field(1, 'int64'), dimParam: field(2, 'string') }),
  },
});

function typeOf(data: OnnxData): number {
  if (data instanceof Float32Array) return ONNX_TYPE.float32;
  if (data instanceof Float64Array) return ONNX_TYPE.float64;
  if (data instanceof Uint8Array) return ONNX_TYPE.uint8;
  if (data instanceof Int8Array) return ONNX_TYPE.int8;
  if (data instanceof Int32Array) return ONNX_TYPE.int32;
  return ONNX_TYPE.int64;
}

// AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, INTS 7.
function attributeProto(name: string, value: OnnxAttribute): object {
  if (typeof value === 'number') return { name, i: value, type: 2 };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: 3 };
  if ('float' in value) return { name, f: value.float, type: 1 };
  return { name, ints: [...value], type: 7 };
}

function valueProto(value: OnnxValue): object {
  const dim = value.shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name: value.name, type: { tensorType: { elemType: ONNX_TYPE[value.type], shape: { dim } } } };
}

/** The graph as the bytes of an ONNX model: opset 17, IR version 8, little-endian as raw_data must be. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const model = {
    irVersion: 8,
    producerName: 'permafrost',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: graph.name,
      node: graph.nodes.map((node) => ({
        input: node.inputs,
        output: node.outputs,
        name: node.name ?? node.outputs[0],
        opType: node.op,
        attribute: Object.entries(node.attributes ?? {}).map(([name, value]) => attributeProto(name, value)),
      })),
      input: graph.inputs.map(valueProto),
      output: graph.outputs.map(valueProto),
      initializer: graph.initializers.map(({ name, shape, data }) => ({
        name,
        dims: shape,
        dataType: typeOf(data),
        rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
    },
  };
  return schema.lookupType('ModelProto').encode(model).finish();
}
