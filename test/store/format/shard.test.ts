import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { SPLITS } from '../../../src/core/sample.ts';
import {
  decodeList,
  decodeShard,
  encodeList,
  encodeShard,
  type ContentRow,
  type FeatureColumn,
  type StoredSample,
} from '../../../src/store/format/shard.ts';
import { textWith } from '../../support/errors.ts';
import { storedRow } from '../../support/stored-rows.ts';

function bytesOf(
  rows: readonly ContentRow[],
  column?: FeatureColumn,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array {
  return Buffer.concat([...encodeShard(rows, column, metadata)]);
}

function read(bytes: Uint8Array): {
  rows: ContentRow[];
  values: number[];
  parts: number;
  widths: Set<number>;
} {
  const parts = [...decodeShard(bytes, 'x.arrow')];
  return {
    rows: parts.flatMap(({ rows }) => rows),
    values: parts.flatMap(({ rows, features }) => [
      ...(features?.values.subarray(0, rows.length * features.width) ?? []),
    ]),
    parts: parts.length,
    widths: new Set(parts.flatMap(({ features }) => features?.width ?? [])),
  };
}

/** What a shard keeps of a row. */
const contentOf = ({ id, path, sha256, width, height, orientation }: ContentRow): ContentRow => ({
  id,
  path,
  sha256,
  width,
  height,
  orientation,
});

const listBytes = (rows: readonly StoredSample[]): Uint8Array => Buffer.concat([...encodeList(rows, new Map())]);

// Any Unicode text without lone surrogates, which UTF-8 cannot hold.
const text = fc.string({ unit: 'binary', maxLength: 30 });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const row: fc.Arbitrary<StoredSample> = fc.record({
  id: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 16 }),
  path: text,
  label: text,
  split: fc.constantFrom(...SPLITS),
  sha256: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
  width: uint32,
  height: uint32,
  orientation: fc.integer({ min: 0, max: 255 }),
});

/** Rows with `width` bit patterns each, as float16 bits or as float32. */
const shard = fc
  .tuple(fc.array(row, { maxLength: 12 }), fc.integer({ min: 1, max: 9 }), fc.boolean())
  .chain(([rows, width, half]) => {
    const length = rows.length * width;
    const values = half
      ? fc.uint16Array({ minLength: length, maxLength: length })
      : fc.float32Array({ minLength: length, maxLength: length });
    return values.map((found) => ({ rows, column: { width, values: found } }));
  });

describe('a shard', () => {
  it('gives back any rows, odd names and all, and every bit of the features', () => {
    fc.assert(
      fc.property(shard, ({ rows, column }) => {
        const back = read(bytesOf(rows, column));
        expect(back.rows).toEqual(rows.map(contentOf));
        expect(back.values).toEqual([...column.values]);
        if (rows.length > 0) expect(back.widths).toEqual(new Set([column.width]));
        const bare = read(bytesOf(rows));
        expect(bare.rows).toEqual(rows.map(contentOf));
        expect(bare.widths.size).toBe(0);
        expect([...decodeList(listBytes(rows), 'x.arrow')].flat()).toEqual(rows);
      }),
      { numRuns: 80 },
    );
  });

  it.each([
    ['float16', Uint16Array],
    ['float32', Float32Array],
  ] as const)('has the columns and types of docs/store-format.md, features in %s', (name, Values) => {
    const column = { width: 3, values: new Values(6) };
    const metadata = new Map([['permafrost', '{"cut":"block5_pool"}']]);
    const table = arrow.tableFromIPC(bytesOf([storedRow('a'), storedRow('b')], column, metadata));
    expect(table.schema.fields.map((field) => [field.name, String(field.type), field.nullable])).toEqual([
      ['id', 'Utf8', false],
      ['sha256', 'Utf8', false],
      ['path_when_extracted', 'Utf8', false],
      ['width', 'Uint32', false],
      ['height', 'Uint32', false],
      ['orientation', 'Uint8', false],
      ['features', `FixedSizeList[3]<${name === 'float16' ? 'Float16' : 'Float32'}>`, false],
    ]);
    expect(table.schema.metadata).toEqual(metadata);
    expect(table.numRows).toBe(2);
  });

  it('gives the same bytes for the same rows', () => {
    const column = { width: 2, values: Float32Array.from([1, 2, 3, 4]) };
    const [a, b] = [
      bytesOf([storedRow('a'), storedRow('b')], column),
      bytesOf([storedRow('a'), storedRow('b')], column),
    ];
    expect(Buffer.compare(a, b)).toBe(0);
  });

  it('is cut into record batches of 8 MiB of features, so that a reader streams it', () => {
    const width = 2 ** 18; // 1 MiB a row as float32
    const rows = Array.from({ length: 20 }, (_, i) => storedRow(`${i}.jpg`));
    const values = Float32Array.from({ length: 20 * width }, (_, i) => i % 1000);
    const bytes = bytesOf(rows, { width, values });
    const parts = [...decodeShard(bytes, 'x.arrow')];
    expect(parts.map((part) => part.rows.length)).toEqual([8, 8, 4]);
    expect(parts.flatMap((part) => part.rows)).toEqual(rows.map(contentOf));
    // Buffer.compare: an equality matcher would take minutes over twenty million bytes.
    const bytesOfValues = (part: Float32Array | Uint16Array): Buffer =>
      Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    for (const [i, { features }] of parts.entries()) {
      const expected = values.subarray(i * 8 * width, (i + 1) * 8 * width);
      expect(Buffer.compare(bytesOfValues(features!.values), bytesOfValues(expected))).toBe(0);
    }
  });

  it('holds more rows than one record batch does', () => {
    const rows = Array.from({ length: 9000 }, (_, i) => storedRow(`${i}.jpg`));
    const back = read(bytesOf(rows));
    expect(back.parts).toBe(3);
    expect(back.rows).toEqual(rows.map(contentOf));
  });

  it('is read wherever its bytes begin in memory', () => {
    const rows = [storedRow('a'), storedRow('b')];
    const bytes = bytesOf(rows, { width: 3, values: Float32Array.from([1, 2, 3, 4, 5, 6]) });
    for (const offset of [1, 2, 3, 4, 5]) {
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      const back = read(moved.subarray(offset));
      expect(back.rows).toEqual(rows.map(contentOf));
      expect(back.values).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });
});

describe('a damaged shard', () => {
  /** What reading ends with: rows, or an error that names the file. */
  function outcome(bytes: Uint8Array): 'rows' | PermafrostError {
    try {
      read(bytes);
      return 'rows';
    } catch (error) {
      if (error instanceof PermafrostError) return error;
      throw error;
    }
  }

  it('is refused with STORE_CORRUPT and its name where it is cut short', () => {
    const bytes = bytesOf([storedRow('a'), storedRow('b')], {
      width: 2,
      values: Float32Array.from([1, 2, 3, 4]),
    });
    for (let length = 0; length < bytes.length - 8; length += 7) {
      const error = outcome(bytes.subarray(0, length));
      expect(error).toMatchObject({
        code: 'STORE_CORRUPT',
        message: textWith('x.arrow'),
      });
    }
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('{"not": "arrow"}')],
    ['zeros', new Uint8Array(4096)],
  ])('is refused where it is %s', (_name, bytes) => {
    expect(outcome(bytes)).toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('is refused where it is an Arrow file of other columns', () => {
    const foreign = arrow.tableToIPC(arrow.tableFromArrays({ path: ['a'], split: ['train'] }), 'file');
    expect(outcome(foreign)).toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('is refused where a list has a split that is none of the three', () => {
    const bytes = listBytes([storedRow('a', { split: 'dev' as StoredSample['split'] })]);
    expect(() => [...decodeList(bytes, 'x.arrow')]).toThrow('row 0 has the split "dev"');
  });
});
