/** Names and bits of TensorProto.DataType (onnx.proto); those without bits have no fixed width. */
const TYPES: Readonly<Record<number, { readonly name: string; readonly bits?: number }>> = {
  1: { name: 'float32', bits: 32 },
  2: { name: 'uint8', bits: 8 },
  3: { name: 'int8', bits: 8 },
  4: { name: 'uint16', bits: 16 },
  5: { name: 'int16', bits: 16 },
  6: { name: 'int32', bits: 32 },
  7: { name: 'int64', bits: 64 },
  8: { name: 'string' },
  9: { name: 'bool', bits: 8 },
  10: { name: 'float16', bits: 16 },
  11: { name: 'float64', bits: 64 },
  12: { name: 'uint32', bits: 32 },
  13: { name: 'uint64', bits: 64 },
  14: { name: 'complex64', bits: 64 },
  15: { name: 'complex128', bits: 128 },
  16: { name: 'bfloat16', bits: 16 },
  17: { name: 'float8e4m3fn', bits: 8 },
  18: { name: 'float8e4m3fnuz', bits: 8 },
  19: { name: 'float8e5m2', bits: 8 },
  20: { name: 'float8e5m2fnuz', bits: 8 },
  21: { name: 'uint4', bits: 4 },
  22: { name: 'int4', bits: 4 },
  23: { name: 'float4e2m1', bits: 4 },
};

export const typeName = (type: number): string => TYPES[type]?.name ?? (type === 0 ? 'unknown' : `type ${type}`);

/**
 * Bytes that a tensor's values take in raw_data or in an external file; undefined where the type has no fixed width.
 */
export function byteLength(type: number, dims: readonly number[]): number | undefined {
  const bits = TYPES[type]?.bits;
  return bits === undefined ? undefined : Math.ceil(dims.reduce((product, size) => product * size, bits) / 8);
}
