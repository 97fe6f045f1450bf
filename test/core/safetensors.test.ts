import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../src/core/errors.ts';
import { readSafetensors, writeSafetensors, type SafeTensor } from '../../src/core/safetensors.ts';

const source = { name: 'file.safetensors', code: 'HEAD_CORRUPT' } as const;

/** A file with this header and `dataLength` bytes of data. */
function fileWith(header: unknown, dataLength: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** What reading gives: the tensors, or the PermafrostError; anything else thrown fails the test. */
function attempt(bytes: Uint8Array): ReturnType<typeof readSafetensors> | PermafrostError {
  try {
    return readSafetensors(bytes, source);
  } catch (error) {
    if (error instanceof PermafrostError) return error;
    throw error;
  }
}

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const tensors: fc.Arbitrary<SafeTensor> = fc
  .tuple(shapes, fc.constantFrom('F32', 'F64', 'I32', 'I64', 'U8', 'F16'))
  .chain(([shape, dtype]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const of = { minLength: length, maxLength: length };
    switch (dtype) {
      case 'F32':
        return fc.float32Array(of).map((data): SafeTensor => ({ dtype, shape, data }));
      case 'F64':
        return fc.float64Array(of).map((data): SafeTensor => ({ dtype, shape, data }));
      case 'I32':
        return fc.int32Array(of).map((data): SafeTensor => ({ dtype, shape, data }));
      case 'I64':
        return fc.bigInt64Array(of).map((data): SafeTensor => ({ dtype, shape, data }));
      case 'F16':
        return fc.uint16Array(of).map((data): SafeTensor => ({ dtype, shape, data }));
      default:
        return fc.uint8Array(of).map((data): SafeTensor => ({ dtype: 'U8', shape, data }));
    }
  });
const names = fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__');
const files = fc.tuple(
  fc.array(fc.tuple(names, tensors), { maxLength: 5 }).map((entries) => new Map(entries)),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
);

describe('safetensors', () => {
  it.each([0, 1, 2, 3])('reads tensors that lie unaligned, also out of a Buffer of a pool (%i bytes off)', (off) => {
    const header = `${JSON.stringify({
      x: { dtype: 'F32', shape: [3], data_offsets: [3, 15] },
      pad: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
    })}${' '.repeat(off)}`;
    const bytes = fileWith(header, 15);
    const floats = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
    bytes.set(floats, bytes.length - 12);
    bytes.set([7, 8, 9], bytes.length - 15);
    for (const source_ of [bytes, Buffer.from(bytes)]) {
      const { tensors: read } = readSafetensors(source_, source);
      expect([...read.get('x')!.data]).toEqual([1, 2, 3]);
      expect([...read.get('pad')!.data]).toEqual([7, 8, 9]);
    }
  });

  it.each([
    [
      'a tensor',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    ],
    ['a field', '{"a":{"dtype":"F32","dtype":"U8","shape":[1],"data_offsets":[0,1]}}'],
    ['a note', '{"__metadata__":{"k":"\\": 1","k":"2"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'],
  ])('refuses a header that names %s twice', (_, header) => {
    expect(attempt(fileWith(header, 1))).toMatchObject({ message: expect.stringMatching(/stands twice/) as string });
  });

  it('reads back every tensor and all metadata that it wrote', () => {
    fc.assert(
      fc.property(files, ([written, metadata]) => {
        const read = readSafetensors(writeSafetensors(written, metadata), source);
        expect(new Map(read.tensors)).toEqual(written);
        expect({ ...read.metadata }).toEqual({ ...metadata });
      }),
    );
  });

  it('writes the same bytes for the same input, each tensor on a multiple of its element size', () => {
    fc.assert(
      fc.property(files, ([written, metadata]) => {
        const bytes = writeSafetensors(written, metadata);
        expect(writeSafetensors(written, metadata)).toEqual(bytes);
        for (const { data } of readSafetensors(bytes, source).tensors.values()) {
          expect(data.buffer).toBe(bytes.buffer);
        }
      }),
    );
  });

  it('reads a file that lies at any offset of a larger buffer', () => {
    fc.assert(
      fc.property(files, fc.integer({ min: 0, max: 16 }), ([written], offset) => {
        const bytes = writeSafetensors(written);
        const larger = new Uint8Array(bytes.length + offset);
        larger.set(bytes, offset);
        expect(new Map(readSafetensors(larger.subarray(offset), source).tensors)).toEqual(written);
      }),
    );
  });

  it('refuses a file cut off anywhere with the code of the caller', () => {
    fc.assert(
      fc.property(files, fc.nat(), ([written], at) => {
        const bytes = writeSafetensors(written);
        const result = attempt(bytes.subarray(0, at % bytes.length));
        expect(result).toMatchObject({ code: 'HEAD_CORRUPT' });
      }),
    );
  });

  it('refuses a file with bytes behind the last tensor', () => {
    fc.assert(
      fc.property(files, ([written]) => {
        const bytes = writeSafetensors(written);
        const longer = new Uint8Array(bytes.length + 1);
        longer.set(bytes);
        expect(attempt(longer)).toMatchObject({ code: 'HEAD_CORRUPT' });
      }),
    );
  });

  it('survives a flipped byte: a PermafrostError or tensors whose lengths fit their shapes', () => {
    fc.assert(
      fc.property(files, fc.nat(), fc.integer({ min: 1, max: 255 }), ([written, metadata], at, mask) => {
        const bytes = writeSafetensors(written, metadata);
        bytes[at % bytes.length]! ^= mask;
        const result = attempt(bytes);
        if (result instanceof PermafrostError) expect(result.code).toBe('HEAD_CORRUPT');
        else {
          for (const { shape, data } of result.tensors.values()) {
            expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('survives arbitrary bytes and arbitrary JSON headers', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.json().map((json) => fileWith(json, 8)),
        ),
        (bytes) => {
          attempt(bytes);
        },
      ),
    );
  });

  const entry = (dtype: string, shape: unknown, offsets: unknown): object => ({
    dtype,
    shape,
    data_offsets: offsets,
  });
  it.each([
    ['a header longer than the file', new Uint8Array([255, 255, 255, 255, 255, 255, 255, 127, 0]), /header of/],
    ['a header that is a list', fileWith([], 0), /not a JSON object/],
    ['a header that is not UTF-8', fileWith('', 0).fill(255, 8), /found/],
    ['a tensor without description', fileWith({ a: 1 }, 0), /without a description/],
    ['an unknown dtype', fileWith({ a: entry('F33', [1], [0, 4]) }, 4), /"F33", known: F64, F32/],
    ['a dtype that every object has', fileWith({ a: entry('constructor', [1], [0, 4]) }, 4), /known/],
    ['a negative dimension', fileWith({ a: entry('F32', [-1], [0, 4]) }, 4), /shape/],
    ['a broken dimension', fileWith({ a: entry('F32', [0.5], [0, 4]) }, 4), /shape/],
    ['a shape larger than its bytes', fileWith({ a: entry('F32', [2 ** 40], [0, 4]) }, 4), /needs/],
    ['a shape whose product overflows', fileWith({ a: entry('F32', [2 ** 52, 2 ** 52, 0], [0, 4]) }, 4), /needs/],
    ['offsets in the wrong order', fileWith({ a: entry('U8', [0], [4, 0]) }, 4), /bytes 4 to 0/],
    ['offsets beyond the end', fileWith({ a: entry('U8', [9], [0, 9]) }, 4), /of 4/],
    ['one offset', fileWith({ a: entry('U8', [4], [0]) }, 4), /data_offsets/],
    [
      'tensors that overlap',
      fileWith({ a: entry('U8', [3], [0, 3]), b: entry('U8', [2], [2, 4]) }, 4),
      /"b" beginning at byte 2 instead of 3/,
    ],
    ['a hole', fileWith({ a: entry('U8', [1], [0, 1]), b: entry('U8', [1], [2, 3]) }, 3), /instead of 1/],
    ['metadata that is not strings', fileWith({ __metadata__: { a: 1 } }, 0), /__metadata__/],
  ])('refuses %s', (_, bytes, message) => {
    const result = attempt(bytes);
    expect(result).toMatchObject({ code: 'HEAD_CORRUPT' });
    expect((result as PermafrostError).message).toMatch(message);
    expect((result as PermafrostError).message).toContain('file.safetensors');
  });

  it('keeps tensors and metadata named like parts of JavaScript', () => {
    const tensor: SafeTensor = { dtype: 'U8', shape: [1], data: Uint8Array.of(7) };
    const metadata = Object.fromEntries([['__proto__', 'x']]);
    const read = readSafetensors(writeSafetensors(new Map([['__proto__', tensor]]), metadata), source);
    expect(read.tensors.get('__proto__')).toEqual(tensor);
    expect(Object.entries(read.metadata)).toEqual([['__proto__', 'x']]);
  });

  it('refuses to write a tensor whose values do not fill its shape, or one named __metadata__', () => {
    const tensor: SafeTensor = { dtype: 'F32', shape: [3], data: new Float32Array(2) };
    expect(() => writeSafetensors(new Map([['a', tensor]]))).toThrow(/shape \(3\) with 2 values/);
    const taken: SafeTensor = { dtype: 'U8', shape: [], data: new Uint8Array(1) };
    expect(() => writeSafetensors(new Map([['__metadata__', taken]]))).toThrow(/__metadata__/);
  });
});
