import * as arrow from 'apache-arrow';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { TableColumn } from '../../core/table/table.ts';
import { checkArrowStructure } from './arrow-structure.ts';

/** Features of a file's rows: `width` numbers a row, float16 bits or float32, row-major. */
export interface FeatureColumn {
  readonly width: number;
  readonly values: Uint16Array | Float32Array;
}

/** A column of some rows, none of them null. */
export type ArrowColumn =
  | { readonly name: string; readonly texts: readonly string[] }
  | { readonly name: string; readonly numbers: Uint32Array | Uint8Array }
  | { readonly name: string; readonly features: FeatureColumn };

/** Some rows that are written as one record batch. */
export interface ArrowRows {
  readonly rows: number;
  readonly columns: readonly ArrowColumn[];
}

function strings(values: readonly string[]): arrow.Data {
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

function numbersData(data: Uint32Array | Uint8Array): arrow.Data {
  const { length } = data;
  return data instanceof Uint8Array
    ? arrow.makeData({ type: new arrow.Uint8(), length, nullCount: 0, data })
    : arrow.makeData({ type: new arrow.Uint32(), length, nullCount: 0, data });
}

function featuresType({ width, values }: FeatureColumn): arrow.FixedSizeList {
  const type = values instanceof Uint16Array ? new arrow.Float16() : new arrow.Float32();
  return new arrow.FixedSizeList(width, new arrow.Field('item', type, false));
}

function featuresData(column: FeatureColumn, rows: number): arrow.Data {
  const { values: data } = column;
  const { length } = data;
  const child =
    data instanceof Uint16Array
      ? arrow.makeData({ type: new arrow.Float16(), length, nullCount: 0, data })
      : arrow.makeData({ type: new arrow.Float32(), length, nullCount: 0, data });
  return arrow.makeData({ type: featuresType(column), length: rows, nullCount: 0, child });
}

function dataOf(column: ArrowColumn, rows: number): arrow.Data {
  if ('texts' in column) return strings(column.texts);
  return 'numbers' in column ? numbersData(column.numbers) : featuresData(column.features, rows);
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
 * The bytes of an Arrow IPC file of some batches, one at least, all of the same columns, which may have no rows.
 * `metadata` goes into the schema.
 */
export function* encodeArrow(
  batches: Iterable<ArrowRows>,
  metadata: ReadonlyMap<string, string>,
): Generator<Uint8Array> {
  const sink = new ByteSink();
  const writer = new arrow.RecordBatchFileWriter();
  writer.reset(sink);
  let schema: arrow.Schema | undefined;
  for (const { rows, columns } of batches) {
    const children = columns.map((column) => dataOf(column, rows));
    schema ??= new arrow.Schema(
      children.map(({ type }, c) => new arrow.Field(columns[c]!.name, type, false)),
      new Map(metadata),
    );
    const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length: rows, nullCount: 0, children });
    writer.write(new arrow.RecordBatch(schema, data));
    yield* sink.take();
  }
  writer.finish();
  yield* sink.take();
}

/** A record batch as it is read: columns are decoded on use. */
export interface ReadBatch {
  readonly length: number;
  has(name: string): boolean;
  texts(name: string): string[];
  numbers(name: string): ArrayLike<number>;
  /** The column `features`, a view of the file's bytes; undefined where there is none. */
  readonly features: FeatureColumn | undefined;
}

/** The strings of a column; arrow-js takes three times as long for them. */
function textsOf({ values, valueOffsets, length }: arrow.Data<arrow.Utf8>): string[] {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  // Ascending, so that all texts together are no longer than the file.
  for (let i = 0; i < length; i++) {
    const [from, to] = [valueOffsets[i]!, valueOffsets[i + 1]!];
    if (from < 0 || from > to || to > bytes.length) throw new Error(`a text from byte ${from} to ${to}`);
  }
  return Array.from({ length }, (_, i) => bytes.toString('utf8', valueOffsets[i], valueOffsets[i + 1]));
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

export function unreadable(name: string, cause: unknown): PermafrostError {
  return new PermafrostError(
    'STORE_CORRUPT',
    `${name} is no readable shard: ${reasonOf(cause)}. Extract again into a new store.`,
    { cause },
  );
}

/** What work on a file's bytes gives. Throws STORE_CORRUPT naming `name` where they are not what they should be. */
export function orUnreadable<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw unreadable(name, cause);
  }
}

/** A reader of bytes whose structure was checked: arrow-js trusts the lengths in a file (arrow-structure.ts). */
function readerOf(bytes: Uint8Array) {
  if (!MAGIC.equals(bytes.subarray(0, 6)) || !MAGIC.equals(bytes.subarray(-6))) throw new Error('no whole Arrow file');
  checkArrowStructure(bytes);
  return arrow.RecordBatchReader.from(bytes);
}

/**
 * Decodes an Arrow file batch by batch, in time and memory that its length bounds. Throws STORE_CORRUPT naming `name`
 * where the bytes are none.
 */
export function* decodeArrow(bytes: Uint8Array, name: string): Generator<ReadBatch> {
  try {
    for (const batch of readerOf(bytes))
      yield {
        length: batch.numRows,
        has: (column) => batch.getChild(column) !== null,
        texts: (column) => orUnreadable(name, () => textsOf(batch.getChild(column)!.data[0] as arrow.Data<arrow.Utf8>)),
        numbers: (column) => orUnreadable(name, () => batch.getChild(column)!.toArray() as ArrayLike<number>),
        features: featuresOf(batch),
      };
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

/** The metadata of a file's schema. Throws STORE_CORRUPT, as decodeArrow. */
export function arrowMetadata(bytes: Uint8Array, name: string): ReadonlyMap<string, string> {
  try {
    return readerOf(bytes).open().schema.metadata;
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
