import { PermafrostError, reasonOf, type ErrorCode } from './errors.ts';

/** Each safetensors dtype with the array that holds it; F16 and BF16 come as their bits, BOOL as 0 and 1. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type TensorDtype = keyof typeof ARRAYS;

/** One tensor, row-major; `dtype` tells the type of `data`, whose length is the product of `shape`. */
export type SafeTensor = {
  [D in TensorDtype]: {
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: (typeof ARRAYS)[D]['prototype'];
  };
}[TensorDtype];

/** The content of one safetensors file; tensors in the order of the header. */
export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

/** Where bytes come from, for messages, and the code under which damage in them is reported. */
export interface TensorSource {
  readonly name: string;
  readonly code: ErrorCode;
}

type Fail = (found: string) => never;
interface Entry {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** How many keys the objects of a JSON text have, those of a name that is there twice counted twice. */
function writtenKeys(json: string): number {
  let keys = 0;
  for (const [, colon] of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (colon !== undefined) keys++;
  return keys;
}

function keysOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inside = Object.values(value).reduce<number>((sum, item) => sum + keysOf(item), 0);
  return inside + (Array.isArray(value) ? 0 : Object.keys(value).length);
}

function parseHeader(bytes: Uint8Array, fail: Fail): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) fail(`${bytes.length} bytes, too few for a header`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    fail(`a header of ${length} bytes announced, ${bytes.length - 8} bytes there`);
  }
  const dataStart = 8 + Number(length);
  let header: unknown;
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart));
    header = JSON.parse(text);
  } catch (error) {
    fail(`a header that is not JSON (${reasonOf(error)})`);
  }
  // JSON.parse would take the last of two, and nobody would learn of the first.
  if (writtenKeys(text) !== keysOf(header)) fail('a name that stands twice in the header');
  return isObject(header) ? { header, dataStart } : fail('a header that is not a JSON object');
}

function parseEntry(name: string, entry: unknown, dataLength: number, fail: Fail): Entry {
  if (!isObject(entry)) return fail(`tensor "${name}" without a description`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(ARRAYS, dtype)) {
    return fail(`tensor "${name}" of dtype ${JSON.stringify(dtype)}, known: ${Object.keys(ARRAYS).join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`tensor "${name}" without a valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    return fail(`tensor "${name}" without valid data_offsets`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataLength) {
    return fail(`tensor "${name}" at bytes ${begin} to ${end} of ${dataLength}`);
  }
  const expected = sizeOf(shape) * ARRAYS[dtype as TensorDtype].BYTES_PER_ELEMENT;
  if (end - begin !== expected) {
    return fail(`tensor "${name}" with ${end - begin} bytes, its shape (${shape.join(', ')}) needs ${expected}`);
  }
  return { name, dtype: dtype as TensorDtype, shape, begin, end };
}

/** The format allows neither overlaps nor holes (github.com/huggingface/safetensors, "Format"). */
function checkCoverage(entries: readonly Entry[], dataLength: number, fail: Fail): void {
  let reached = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== reached) fail(`tensor "${name}" beginning at byte ${begin} instead of ${reached}`);
    reached = end;
  }
  if (reached !== dataLength) fail(`${dataLength - reached} bytes that belong to no tensor`);
}

function checkMetadata(value: unknown, fail: Fail): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isObject(value) || !Object.values(value).every((text) => typeof text === 'string')) {
    return fail('__metadata__ that is not a table of strings');
  }
  return value as Record<string, string>;
}

/**
 * Reads a safetensors file (little-endian machines). Tensors are views of `bytes`; an unaligned one is copied. Nothing
 * is allocated on the word of the header. Throws `source.code` for any damage that shows.
 */
export function readSafetensors(bytes: Uint8Array, source: TensorSource): Safetensors {
  const fail: Fail = (found) => {
    throw new PermafrostError(
      source.code,
      `${source.name} is not an intact safetensors file: found ${found}. Restore it from where it came from.`,
    );
  };
  const { header, dataStart } = parseHeader(bytes, fail);
  const { __metadata__: rawMetadata, ...described } = header;
  const metadata = checkMetadata(rawMetadata, fail);
  const dataLength = bytes.length - dataStart;
  const entries = Object.entries(described).map(([name, entry]) => parseEntry(name, entry, dataLength, fail));
  checkCoverage(entries, dataLength, fail);

  const tensors = new Map<string, SafeTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const TypedArray = ARRAYS[dtype];
    const start = bytes.byteOffset + dataStart + begin;
    const data =
      start % TypedArray.BYTES_PER_ELEMENT === 0
        ? new TypedArray(bytes.buffer as ArrayBuffer, start, sizeOf(shape))
        : // A copy by all means: slice() of a Buffer is a view of a pool.
          new TypedArray(new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end)).buffer);
    tensors.set(name, { dtype, shape, data } as SafeTensor);
  }
  return { metadata, tensors };
}

/**
 * The bytes of a safetensors file: wide elements first, so that each is aligned, otherwise in the order given. Equal
 * input gives equal bytes. Throws OPTION_INVALID where data and shape of a tensor disagree.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const parts = safetensorsParts(tensors, metadata);
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The bytes of writeSafetensors in pieces, the header first; the tensors are not copied. Throws as it. */
export function safetensorsParts(
  tensors: ReadonlyMap<string, SafeTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const ordered = [...tensors].sort(([, a], [, b]) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let dataLength = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    if (name === '__metadata__' || data.length !== sizeOf(shape)) {
      throw new PermafrostError(
        'OPTION_INVALID',
        `Cannot write tensor "${name}" of shape (${shape.join(', ')}) with ${data.length} values: the name __metadata__ is taken, and the shape must hold all values.`,
      );
    }
    entries.push([name, { dtype, shape, data_offsets: [dataLength, dataLength + data.byteLength] }]);
    dataLength += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const dataStart = Math.ceil((8 + json.length) / 8) * 8;
  const header = new Uint8Array(dataStart).fill(0x20, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  header.set(json, 8);
  return [header, ...ordered.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}
