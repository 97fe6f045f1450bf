import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesField,
  fieldsOf,
  joined,
  numberField,
  numbersIn,
  wireSource,
} from '../../../../src/extract/onnx/wire/wire.ts';

const failing = () =>
  wireSource((found) => {
    throw new Error(found);
  });
const read = (bytes: Uint8Array) =>
  [...fieldsOf(bytes, failing())].map(({ id, value, bytes: own }) => ({ id, value, length: own.length }));

/** An int64 as protobuf writes it. */
function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

describe('a protobuf message', () => {
  it('gives numbers of 64 bits back, exactly where a double can', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.maxSafeInteger(), (any, safe) => {
        const [rounded] = read(joined([Uint8Array.of(0x08), varint(any)]));
        expect(Math.abs(rounded!.value - Number(any))).toBeLessThanOrEqual(2 ** -52 * Math.abs(Number(any)));
        expect(read(joined([Uint8Array.of(0x08), varint(BigInt(safe))]))[0]!.value).toBe(safe);
      }),
    );
  });

  it('gives back what is written', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 29 - 1 }),
        fc.nat(),
        fc.uint8Array({ maxLength: 300 }),
        (id, value, bytes) => {
          const message = joined([...numberField(id, value), ...bytesField(id, bytes)]);
          expect(read(message)).toEqual([
            { id, value, length: 0 },
            { id, value: NaN, length: bytes.length },
          ]);
        },
      ),
    );
  });

  it('says where each field lies', () => {
    const message = joined([...numberField(1, 300), ...bytesField(2, Uint8Array.of(7, 8))]);
    expect([...fieldsOf(message, failing())].map(({ at, end }) => [at, end])).toEqual([
      [0, 3],
      [3, 7],
    ]);
  });

  it('has repeated numbers one a field or all in one', () => {
    const [packed] = fieldsOf(joined(bytesField(1, Uint8Array.of(1), varint(300n), varint(-1n))), failing());
    expect(numbersIn(packed!, failing(), 3)).toEqual([1, 300, -1]);
    expect(() => numbersIn(packed!, failing(), 2)).toThrow('more than 2 numbers');
  });

  it.each([
    ['a number without end', [0x08, ...Array<number>(20).fill(0x80)], 'more than ten bytes'],
    ['a number that is cut off', [0x08, 0x80], 'cut off'],
    ['a tag that is cut off', [0x80], 'cut off'],
    ['bytes that are cut off', [0x0a, 5, 1, 2], 'a field of 5 bytes where 2 are left'],
    ['a length of 2^63', [0x0a, ...Array<number>(9).fill(0xff), 0x01], 'a field of -1 bytes'],
    ['the field 0', [0x00, 0x01], 'number 0'],
    ['a group', [0x0b, 0x0c], 'wire type 3'],
    ['wire type 7', [0x0f], 'wire type 7'],
    ['a fixed width that is cut off', [0x09, 1, 2, 3], 'a field of 8 bytes where 3 are left'],
  ])('with %s is refused', (_, bytes, message) => {
    expect(() => read(Uint8Array.from(bytes))).toThrow(message);
  });
});
