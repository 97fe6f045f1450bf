import * as arrow from 'apache-arrow';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { TableColumn } from '../../core/table/table.ts';
import { SPLITS, type ImageFacts, type Sample, type Split } from '../../core/sample.ts';

/** A row without its features. `id`, the first 16 hex digits of the file's SHA-256, names the content. */
export type StoredSample = Sample & ImageFacts & { readonly id: string };

/** Features of a file's rows: `width` numbers a row, float16 bits or float32, row-major. */
export interface FeatureColumn {
  readonly width: number;
  readonly values: Uint16Array | Float32Array;
}

/** Rows made as they are asked for, so that a million need not be in memory at once; an array is one too. */
export interface SampleRows extends Iterable<StoredSample> {
  readonly length: number;
}

/** `rows` in arrays of `size`, the last one shorter; one empty array where there are none. */
function* chunks(rows: SampleRows, size: number): Generator<StoredSample[]> {
  let chunk: StoredSample[] = [];
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0 || rows.length === 0) yield chunk;
}

export const idOf = (sha256: string): string => sha256.slice(0, 16);

/** Bytes of features a record batch: what a streaming reader holds at once. */
const RECORD_BATCH_BYTES = 8 * 2 ** 20;
const RECORD_BATCH_ROWS = 4096;

const utf8 = (name: string): arrow.Field => new arrow.Field(name, new arrow.Utf8(), false);
const ROW_FIELDS = [
  utf8('id'),
  utf8('path'),
  utf8('label'),
  utf8('split'),
  utf8('sha256'),
  new arrow.Field('width', new arrow.Uint32(), false),
  new arrow.Field('height', new arrow.Uint32(), false),
  new arrow.Field('orientation', new arrow.Uint8(), false),
];

function strings(values: string[]): arrow.Data {
  const encoded = values.map((value) => Buffer.from(value, 'utf8'));
  const valueOffsets = new Int32Array(values.length + 1);
  encoded.forEach((bytes, i) => (valueOffsets[i + 1] = valueOffsets[i]! + bytes.length));
  return arrow.makeData({
    type: new arrow.Utf8(),
    length: values.length,
    nullCount: 0,
    valueOffsets,
    data: Buffer.concat(encoded),
  });
}

function rowColumns(rows: readonly StoredSample[]): arrow.Data[] {
  const uint32 = (data: Uint32Array): arrow.Data =>
    arrow.makeData({ type: new arrow.Uint32(), length: data.length, nullCount: 0, data });
  const orientation = Uint8Array.from(rows, (row) => row.orientation);
  return [
    ...(['id', 'path', 'label', 'split', 'sha256'] as const).map((key) => strings(rows.map((row) => row[key]))),
    uint32(Uint32Array.from(rows, (row) => row.width)),
    uint32(Uint32Array.from(rows, (row) => row.height)),
    arrow.makeData({ type: new arrow.Uint8(), length: orientation.length, nullCount: 0, data: orientation }),
  ];
}

function featureField({ width, values }: FeatureColumn): arrow.Field {
  const item = new arrow.Field(
    'item',
    values instanceof Uint16Array ? new arrow.Float16() : new arrow.Float32(),
    false,
  );
  return new arrow.Field('features', new arrow.FixedSizeList(width, item), false);
}

function featureData(column: FeatureColumn, field: arrow.Field, from: number, to: number): arrow.Data {
  const { width, values } = column;
  const part = values.subarray(from * width, to * width);
  const length = part.length;
  const child =
    part instanceof Uint16Array
      ? arrow.makeData({ type: new arrow.Float16(), length, nullCount: 0, data: part })
      : arrow.makeData({ type: new arrow.Float32(), length, nullCount: 0, data: part });
  return arrow.makeData({ type: field.type as arrow.FixedSizeList, length: to - from, nullCount: 0, child });
}

/** What a writer has made so far. By itself arrow-js makes the whole file at once, and keeps it until it is read. */
class ByteSink extends arrow.AsyncByteQueue {
  private made: Uint8Array[] = [];

  override write(chunk: Uint8Array): void {
    if (chunk.byteLength > 0) this.made.push(chunk);
  }

  take(): Uint8Array[] {
    const made = this.made;
    this.made = [];
    return made;
  }
}

/**
 * The bytes of an Arrow IPC file: columns id, path, label, split, sha256, width, height, orientation and, when given,
 * `features`, a FixedSizeList of float16 or float32. `metadata` goes into the schema.
 */
export function* encodeShard(
  rows: SampleRows,
  column: FeatureColumn | undefined,
  metadata: ReadonlyMap<string, string>,
): Generator<Uint8Array> {
  const features = column && featureField(column);
  const schema = new arrow.Schema(features ? [...ROW_FIELDS, features] : ROW_FIELDS, new Map(metadata));
  const rowBytes = column ? column.width * column.values.BYTES_PER_ELEMENT : 1;
  const step = Math.max(1, Math.min(RECORD_BATCH_ROWS, Math.floor(RECORD_BATCH_BYTES / rowBytes)));
  const sink = new ByteSink();
  const writer = new arrow.RecordBatchFileWriter();
  writer.reset(sink);
  let to = 0;
  for (const some of chunks(rows, step)) {
    const from = to;
    to += some.length;
    const children = rowColumns(some);
    if (column && features) children.push(featureData(column, features, from, to));
    const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length: to - from, nullCount: 0, children });
    writer.write(new arrow.RecordBatch(schema, data));
    yield* sink.take();
  }
  writer.finish();
  yield* sink.take();
}

/** One record batch of a shard: `rows`, decoded on use, and their features, a view of the file's bytes. */
export interface ShardBatch {
  readonly length: number;
  readonly rows: readonly StoredSample[];
  readonly features: FeatureColumn | undefined;
}

/** The strings of a column; arrow-js takes three times as long for them. */
function texts({ values, valueOffsets, length }: arrow.Data<arrow.Utf8>): string[] {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Array.from({ length }, (_, i) => bytes.toString('utf8', valueOffsets[i], valueOffsets[i + 1]));
}

/** One string for equal ones: labels and splits repeat, and each would be a string of its own. */
function shared(names: string[], seen: Map<string, string>): string[] {
  return names.map((name) => {
    const found = seen.get(name);
    if (found !== undefined) return found;
    seen.set(name, name);
    return name;
  });
}

function rowsOf(batch: arrow.RecordBatch, seen: Map<string, string>): StoredSample[] {
  const text = (name: string): string[] => texts(batch.getChild(name)!.data[0] as arrow.Data<arrow.Utf8>);
  const integers = (name: string): ArrayLike<number> => batch.getChild(name)!.toArray() as ArrayLike<number>;
  const [id, path, label, split, sha256] = [
    text('id'),
    text('path'),
    shared(text('label'), seen),
    shared(text('split'), seen),
    text('sha256'),
  ];
  const [width, height, orientation] = [integers('width'), integers('height'), integers('orientation')];
  return id.map((_, i): StoredSample => {
    if (!(SPLITS as readonly string[]).includes(split[i]!)) throw new Error(`row ${i} has the split "${split[i]}"`);
    return {
      id: id[i]!,
      path: path[i]!,
      label: label[i]!,
      split: split[i] as Split,
      sha256: sha256[i]!,
      width: width[i]!,
      height: height[i]!,
      orientation: orientation[i]!,
    };
  });
}

function featuresOf(batch: arrow.RecordBatch): FeatureColumn | undefined {
  const list = batch.getChild('features')?.data[0] as arrow.Data<arrow.FixedSizeList> | undefined;
  if (list === undefined) return undefined;
  const values: unknown = list.children[0]!.values;
  if (!(values instanceof Uint16Array) && !(values instanceof Float32Array))
    throw new Error('features are neither float16 nor float32');
  const listSize = list.type.listSize;
  if (values.length < listSize * batch.numRows) throw new Error('features are cut short');
  return { width: listSize, values };
}

/** An Arrow file begins and ends with it; the reader takes what does not for an empty stream. */
const MAGIC = Buffer.from('ARROW1');

function unreadable(name: string, cause: unknown): PermafrostError {
  return new PermafrostError(
    'STORE_CORRUPT',
    `${name} is no readable shard: ${reasonOf(cause)}. Extract again into a new store.`,
    { cause },
  );
}

function batchOf(batch: arrow.RecordBatch, seen: Map<string, string>, name: string): ShardBatch {
  let rows: readonly StoredSample[] | undefined;
  return {
    length: batch.numRows,
    features: featuresOf(batch),
    // Who reads features alone is spared eight values a row.
    get rows() {
      try {
        return (rows ??= rowsOf(batch, seen));
      } catch (cause) {
        throw unreadable(name, cause);
      }
    },
  };
}

/**
 * Decodes a shard batch by batch. Throws STORE_CORRUPT naming `name` where the bytes are no shard. Verify their SHA-256
 * first (file.ts): arrow-js trusts the lengths in a file, and one flipped bit can keep it busy without end (seen on
 * 21.2 at some thirty bytes of a file of 1.7 kB).
 */
export function* decodeShard(bytes: Uint8Array, name: string): Generator<ShardBatch> {
  const seen = new Map<string, string>();
  try {
    if (!MAGIC.equals(bytes.subarray(0, 6)) || !MAGIC.equals(bytes.subarray(-6)))
      throw new Error('no whole Arrow file');
    for (const batch of arrow.RecordBatchReader.from(bytes)) yield batchOf(batch, seen, name);
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

/**
 * The schema of a table as Parquet files carry it under the key `ARROW:schema`: an encapsulated message in base64. By
 * it readers know that lists are of one length, which Parquet has no type for.
 */
export function arrowSchemaText(columns: readonly TableColumn[]): string {
  const types = { text: arrow.Utf8, boolean: arrow.Bool, float32: arrow.Float32 };
  const fields = columns.map(({ name, type, nullable = false, width }) => {
    const own = new types[type]();
    if (width === undefined) return new arrow.Field(name, own, nullable);
    return new arrow.Field(name, new arrow.FixedSizeList(width, new arrow.Field('element', own, false)), false);
  });
  const writer = new arrow.RecordBatchStreamWriter();
  const sink = new ByteSink();
  writer.reset(sink, new arrow.Schema(fields));
  const message = Buffer.concat(sink.take());
  writer.abort();
  return message.toString('base64');
}

/** The metadata of a shard's schema. Throws STORE_CORRUPT, as decodeShard. */
export function shardMetadata(bytes: Uint8Array, name: string): ReadonlyMap<string, string> {
  try {
    return arrow.RecordBatchReader.from(bytes).open().schema.metadata;
  } catch (cause) {
    throw unreadable(name, cause);
  }
}
