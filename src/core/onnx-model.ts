/** Typed arrays that an ONNX initializer may hold, with their TensorProto.DataType (onnx.proto). */
export type OnnxData = Float32Array | Float64Array | Uint8Array | Int8Array | Int32Array | BigInt64Array;

export const ONNX_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
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

// Protocol Buffers on the wire: a field is its number and kind (0 a varint, 2 bytes after their length, 5 four bytes), then its value. Fields
// stand in the order of their numbers, which are those of onnx.proto (github.com/onnx/onnx, IR version 8).

/** A message in pieces: the values of large tensors are copied once, at the end. */
type Pieces = readonly Uint8Array[];

/** Seven bits a byte, the lowest first; a negative number is that of 64 bits with the same low ones. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** 0 is what a field that is missing means. */
const integer = (id: number, value: number): Pieces =>
  value === 0 ? [] : [Uint8Array.from([...varint(id << 3), ...varint(value)])];

/** Packed: one field, however many numbers. */
const integers = (id: number, values: readonly number[]): Pieces =>
  values.length === 0 ? [] : bytes(id, [Uint8Array.from(values.flatMap(varint))]);

function float(id: number, value: number): Pieces {
  if (value === 0) return [];
  const out = new DataView(new ArrayBuffer(5));
  out.setUint8(0, (id << 3) | 5);
  out.setFloat32(1, value, true);
  return [new Uint8Array(out.buffer)];
}

const lengthOf = (pieces: Pieces): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** A message, a text or bytes as a field of another message. */
function bytes(id: number, ...parts: readonly Pieces[]): Pieces {
  const pieces = parts.flat();
  return [Uint8Array.from([...varint((id << 3) | 2), ...varint(lengthOf(pieces))]), ...pieces];
}
const utf8 = new TextEncoder();
const text = (id: number, value: string): Pieces => bytes(id, [utf8.encode(value)]);

function typeOf(data: OnnxData): number {
  if (data instanceof Float32Array) return ONNX_TYPE.float32;
  if (data instanceof Float64Array) return ONNX_TYPE.float64;
  if (data instanceof Uint8Array) return ONNX_TYPE.uint8;
  if (data instanceof Int8Array) return ONNX_TYPE.int8;
  if (data instanceof Int32Array) return ONNX_TYPE.int32;
  return ONNX_TYPE.int64;
}

/** AttributeProto; its type is FLOAT 1, INT 2, STRING 3, INTS 7. */
function attributeProto(name: string, value: OnnxAttribute): Pieces {
  const [field, type] =
    typeof value === 'number'
      ? [integer(3, value), 2]
      : typeof value === 'string'
        ? [text(4, value), 3]
        : 'float' in value
          ? [float(2, value.float), 1]
          : [integers(8, value), 7];
  return [...text(1, name), ...field, ...integer(20, type)];
}

/** NodeProto. */
const nodeProto = ({ op, inputs, outputs, attributes = {} }: OnnxNode): Pieces => [
  ...inputs.flatMap((name) => text(1, name)),
  ...outputs.flatMap((name) => text(2, name)),
  ...text(3, outputs[0]!),
  ...text(4, op),
  ...Object.entries(attributes).flatMap(([name, value]) => bytes(5, attributeProto(name, value))),
];

/** ValueInfoProto with a TypeProto of a tensor. */
function valueProto({ name, type, shape }: OnnxValue): Pieces {
  const dims = shape.flatMap((size) => bytes(1, typeof size === 'number' ? integer(1, size) : text(2, size)));
  const tensor = bytes(1, integer(1, ONNX_TYPE[type]), bytes(2, dims));
  return [...text(1, name), ...bytes(2, tensor)];
}

/** TensorProto. */
const tensorProto = ({ name, shape, data }: OnnxTensor): Pieces => [
  ...integers(1, shape),
  ...integer(2, typeOf(data)),
  ...text(8, name),
  ...(data.length === 0 ? [] : bytes(9, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)])),
];

/** The graph as the bytes of an ONNX model: opset 17, IR version 8. Typed arrays are little-endian, as raw_data must be. */
export function encodeOnnx({ name, nodes, inputs, outputs, initializers }: OnnxGraph): Uint8Array {
  const graph: Pieces = [
    ...nodes.flatMap((node) => bytes(1, nodeProto(node))),
    ...text(2, name),
    ...initializers.flatMap((tensor) => bytes(5, tensorProto(tensor))),
    ...inputs.flatMap((value) => bytes(11, valueProto(value))),
    ...outputs.flatMap((value) => bytes(12, valueProto(value))),
  ];
  const model = [...integer(1, 8), ...text(2, 'permafrost'), ...bytes(7, graph), ...bytes(8, integer(2, 17))];
  const out = new Uint8Array(lengthOf(model));
  let at = 0;
  for (const piece of model) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
