// Protocol Buffers as they lie in a file (protobuf.dev/programming-guides/encoding): what no schema knows survives.

/** Ends reading with what was found. */
export type Fail = (found: string) => never;

/** A file that is read: how reading ends, and how many fields it may still have. */
export interface WireSource {
  readonly fail: Fail;
  fieldsLeft: number;
}

/**
 * One field of a message. `value` is that of a varint, as int64; `bytes` what any other field holds, not copied; `at`
 * and `end` say where all of it lies in the message.
 */
export interface WireField {
  readonly id: number;
  readonly wire: number;
  readonly value: number;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
}

/** A network of 100,000 nodes has two million; more is no network, and takes seconds to read. */
const MOST_FIELDS = 5_000_000;

export const wireSource = (fail: Fail): WireSource => ({ fail, fieldsLeft: MOST_FIELDS });

const NONE = new Uint8Array(0);
const LOW_28 = 2 ** 28 - 1;

/** 64 bits in pieces of 28, 28 and 8 as a signed number; rounded beyond 2^53, where no length or size lies. */
function signed(low: number, middle: number, high: number): number {
  const join = (a: number, b: number, c: number): number => a + b * 2 ** 28 + c * 2 ** 56;
  return high < 128 ? join(low, middle, high) : -1 - join(LOW_28 - low, LOW_28 - middle, 255 - high);
}

/** Reads numbers one after the other. */
function numberReader(bytes: Uint8Array, { fail }: WireSource) {
  const reader = {
    at: 0,
    next(): number {
      const pieces = [0, 0, 0];
      for (let i = 0; i < 10; i++) {
        if (reader.at >= bytes.length) return fail('a number that is cut off');
        const byte = bytes[reader.at++]!;
        pieces[i >> 2]! |= (byte & 0x7f) << (7 * (i & 3));
        if (byte < 0x80) return signed(pieces[0]!, pieces[1]!, pieces[2]! & 255);
      }
      return fail('a number of more than ten bytes');
    },
  };
  return reader;
}

/** Bytes of a field that is no varint, by its wire type; undefined: as many as the number before them says. */
const FIXED_LENGTH: Readonly<Record<number, number | undefined>> = { 1: 8, 2: undefined, 5: 4 };

/** The fields of a message in their order. Fails on what is cut off and on wire types that ONNX does not use. */
export function* fieldsOf(bytes: Uint8Array, source: WireSource): Generator<WireField, void> {
  const { fail } = source;
  const reader = numberReader(bytes, source);
  while (reader.at < bytes.length) {
    if (source.fieldsLeft-- === 0) fail(`more than ${MOST_FIELDS} fields`);
    const { at } = reader;
    const tag = reader.next();
    const id = Math.floor(tag / 8);
    const wire = tag - id * 8;
    if (id < 1 || id >= 2 ** 29) fail(`a field of the number ${id}`);
    if (wire === 0) {
      const value = reader.next();
      yield { id, wire, value, bytes: NONE, at, end: reader.at };
      continue;
    }
    if (!(wire in FIXED_LENGTH)) fail(`a field of wire type ${wire}`);
    const length = FIXED_LENGTH[wire] ?? reader.next();
    const left = bytes.length - reader.at;
    if (length < 0 || length > left) fail(`a field of ${length} bytes where ${left} are left`);
    reader.at += length;
    const { at: end } = reader;
    yield { id, wire, value: NaN, bytes: bytes.subarray(end - length, end), at, end };
  }
}

/** The number in a field. */
export const numberIn = ({ id, wire, value }: WireField, { fail }: WireSource): number =>
  wire === 0 ? value : fail(`no number in field ${id}`);

/** The bytes in a field: a message, or values. */
export const bytesIn = ({ id, wire, bytes }: WireField, { fail }: WireSource): Uint8Array =>
  wire === 2 ? bytes : fail(`no bytes in field ${id}`);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text in a field. */
export function textIn(field: WireField, source: WireSource): string {
  try {
    return utf8.decode(bytesIn(field, source));
  } catch (error) {
    if (error instanceof TypeError) return source.fail(`a text in field ${field.id} that is not UTF-8`);
    throw error;
  }
}

/** The numbers in a repeated field, which come one a field or all in one; fails where they are more than `most`. */
export function numbersIn(field: WireField, source: WireSource, most: number): number[] {
  if (field.wire === 0) return [field.value];
  const packed = bytesIn(field, source);
  const reader = numberReader(packed, source);
  const numbers: number[] = [];
  while (reader.at < packed.length) {
    numbers.push(reader.next());
    if (numbers.length > most) source.fail(`more than ${most} numbers in field ${field.id}`);
  }
  return numbers;
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

/** A field that holds a number of 0 or more. */
export const numberField = (id: number, value: number): Uint8Array[] => [varintBytes(id * 8), varintBytes(value)];

/** A field that holds these bytes one after the other, not copied. */
export function bytesField(id: number, ...parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [varintBytes(id * 8 + 2), varintBytes(length), ...parts];
}

export const textField = (id: number, text: string): Uint8Array[] => bytesField(id, new TextEncoder().encode(text));

/** Pieces in one array. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
