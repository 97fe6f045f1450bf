import { SPLITS, type ImageFacts, type Sample, type Split } from '../../core/sample.ts';
import {
  arrowMetadata,
  decodeArrow,
  encodeArrow,
  orUnreadable,
  unreadable,
  type ArrowColumn,
  type FeatureColumn,
  type ReadBatch,
} from './arrow-file.ts';

export type { FeatureColumn } from './arrow-file.ts';

/** An image of a list. `id`, the first 16 hex digits of the file's SHA-256, names the content. */
export type StoredSample = Sample & ImageFacts & { readonly id: string };

/**
 * A row of a shard: a content, and the path of the image that it was extracted from. What that image's label, split and
 * path are now stands in the list of samples alone.
 */
export type ContentRow = ImageFacts & { readonly id: string; readonly path: string };

/** Rows made as they are asked for, so that a million need not be in memory at once; an array is one too. */
export interface RowSource<R> extends Iterable<R> {
  readonly length: number;
}

/** Images of a list. */
export type SampleRows = RowSource<StoredSample>;

/** `rows` in arrays of `size`, the last one shorter; one empty array where there are none. */
function* chunks<R>(rows: RowSource<R>, size: number): Generator<R[]> {
  let chunk: R[] = [];
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

const factColumns = (rows: readonly ImageFacts[]): ArrowColumn[] => [
  { name: 'width', numbers: Uint32Array.from(rows, (row) => row.width) },
  { name: 'height', numbers: Uint32Array.from(rows, (row) => row.height) },
  { name: 'orientation', numbers: Uint8Array.from(rows, (row) => row.orientation) },
];

/** The bytes of a list of samples: columns id, path, label, split, sha256, width, height, orientation. */
export function* encodeList(rows: SampleRows, metadata: ReadonlyMap<string, string>): Generator<Uint8Array> {
  const batches = function* () {
    for (const some of chunks(rows, RECORD_BATCH_ROWS)) {
      const named = (['id', 'path', 'label', 'split', 'sha256'] as const).map((name): ArrowColumn => {
        return { name, texts: some.map((row) => row[name]) };
      });
      yield { rows: some.length, columns: [...named, ...factColumns(some)] };
    }
  };
  yield* encodeArrow(batches(), metadata);
}

/** The column of the path that a row was extracted from: not called a path, for images are moved. */
const PATH_THEN = 'path_when_extracted';

/**
 * The bytes of a shard's file: columns id, sha256, path_when_extracted, width, height, orientation and, when given,
 * `features`, a FixedSizeList of float16 or float32. Neither label nor split, which change. `metadata` goes into the
 * schema.
 */
export function* encodeShard(
  rows: RowSource<ContentRow>,
  column: FeatureColumn | undefined,
  metadata: ReadonlyMap<string, string>,
): Generator<Uint8Array> {
  const rowBytes = column ? column.width * column.values.BYTES_PER_ELEMENT : 1;
  const step = Math.max(1, Math.min(RECORD_BATCH_ROWS, Math.floor(RECORD_BATCH_BYTES / rowBytes)));
  const batches = function* () {
    let to = 0;
    for (const some of chunks(rows, step)) {
      const from = to;
      to += some.length;
      const columns: ArrowColumn[] = [
        { name: 'id', texts: some.map(({ id }) => id) },
        { name: 'sha256', texts: some.map(({ sha256 }) => sha256) },
        { name: PATH_THEN, texts: some.map(({ path }) => path) },
        ...factColumns(some),
      ];
      if (column) {
        const values = column.values.subarray(from * column.width, to * column.width);
        columns.push({ name: 'features', features: { width: column.width, values } });
      }
      yield { rows: some.length, columns };
    }
  };
  yield* encodeArrow(batches(), metadata);
}

/** One record batch of a shard: `rows`, decoded on use, and their features, a view of the file's bytes. */
export interface ShardBatch {
  readonly length: number;
  readonly rows: readonly ContentRow[];
  readonly features: FeatureColumn | undefined;
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

function contentRows(batch: ReadBatch): ContentRow[] {
  // Shards of older versions have a column path, and labels and splits that nobody reads.
  const [id, sha256, path] = ['id', 'sha256', batch.has(PATH_THEN) ? PATH_THEN : 'path'].map((name) =>
    batch.texts(name),
  );
  const [width, height, orientation] = ['width', 'height', 'orientation'].map((name) => batch.numbers(name));
  return id!.map((own, i) => ({
    id: own,
    path: path![i]!,
    sha256: sha256![i]!,
    width: width![i]!,
    height: height![i]!,
    orientation: orientation![i]!,
  }));
}

function samplesIn(batch: ReadBatch, seen: Map<string, string>): StoredSample[] {
  const labels = shared(batch.texts('label'), seen);
  const splits = shared(batch.texts('split'), seen);
  return contentRows(batch).map(({ id, path, ...facts }, i): StoredSample => {
    const split = splits[i]!;
    if (!(SPLITS as readonly string[]).includes(split)) throw new Error(`row ${i} has the split "${split}"`);
    return { id, path, label: labels[i]!, split: split as Split, ...facts };
  });
}

/** Decodes a list of samples batch by batch. Throws STORE_CORRUPT, as decodeArrow. */
export function* decodeList(bytes: Uint8Array, name: string): Generator<readonly StoredSample[]> {
  const seen = new Map<string, string>();
  for (const batch of decodeArrow(bytes, name)) yield orUnreadable(name, () => samplesIn(batch, seen));
}

/** What a shard's file must hold by the seal: its rows, and of a file of features their width. */
export interface SealedShape {
  readonly rows: number;
  readonly width?: number | undefined;
}

/**
 * Decodes a shard's file of any version batch by batch. Throws STORE_CORRUPT, as decodeArrow, and where it is not as
 * `sealed` says: before the first batch where its bytes cannot hold so many rows.
 */
export function* decodeShard(bytes: Uint8Array, name: string, sealed?: SealedShape): Generator<ShardBatch> {
  const require = (isSo: boolean, found: string, expected: number | undefined): void => {
    if (!isSo) throw unreadable(name, new Error(`${found} where its seal says ${expected}`));
  };
  const rows = sealed?.rows ?? 0;
  require(rows <= bytes.length, `${bytes.length} bytes for all rows`, rows);
  let found = 0;
  for (const batch of decodeArrow(bytes, name)) {
    found += batch.length;
    if (sealed !== undefined) require(found <= rows, `${found} rows or more`, rows);
    if (sealed?.width !== undefined)
      require(batch.features?.width === sealed.width, `features of the width ${batch.features?.width}`, sealed.width);
    let own: readonly ContentRow[] | undefined;
    yield {
      length: batch.length,
      features: batch.features,
      // Who reads features alone is spared six values a row.
      get rows() {
        return (own ??= orUnreadable(name, () => contentRows(batch)));
      },
    };
  }
  if (sealed !== undefined) require(found === rows, `${found} rows`, rows);
}

/** The metadata of a list's or a shard's schema. Throws STORE_CORRUPT, as decodeArrow. */
export const shardMetadata = arrowMetadata;
