import {
  parquetCompressors,
  parquetReader,
  type AsyncBuffer,
  type FileMetaData,
} from '../../core/table/parquet-packages.ts';

export type { FileMetaData } from '../../core/table/parquet-packages.ts';

/** One column of one row group, as it lies in its file. */
export interface ColumnPlace {
  /** Of this row group and this column alone. */
  readonly metadata: FileMetaData;
  /** The column, and the field of it where it is a struct. */
  readonly path: readonly string[];
  readonly rows: number;
  /** Where in the file its bytes lie. */
  readonly offset: number;
}

/** What reads Parquet: the format itself, and what its pages may be compressed with. */
async function load() {
  const [format, { compressors }] = await Promise.all([parquetReader(), parquetCompressors()]);
  return { ...format, compressors };
}

let loaded: ReturnType<typeof load> | undefined;
function packages(): ReturnType<typeof load> {
  loaded ??= load();
  loaded.catch(() => (loaded = undefined)); // its caller hears of it
  return loaded;
}

/** A part of a file, as the file is read. */
const partOfFile = (bytes: Uint8Array, offset: number): AsyncBuffer => ({
  byteLength: offset + bytes.length,
  slice: (start, end = offset + bytes.length) =>
    // A copy: a Buffer is a view of a memory that it may share.
    Promise.resolve(new Uint8Array(bytes.subarray(start - offset, end - offset)).buffer),
});

/** What stands at the end of a Parquet file: its columns, and where their parts lie. Throws what hyparquet throws. */
export async function metadataIn(footer: Uint8Array): Promise<FileMetaData> {
  const { parquetMetadata } = await packages();
  return parquetMetadata(footer);
}

/** The values of one column of one row group, shape (rows). Throws what hyparquet throws. */
export async function valuesIn(
  bytes: Uint8Array,
  { metadata, path: [column, field], rows: count, offset }: ColumnPlace,
): Promise<unknown[]> {
  const { parquetReadObjects, compressors } = await packages();
  const rows = await parquetReadObjects({
    file: partOfFile(bytes, offset),
    metadata,
    rowStart: 0,
    rowEnd: count,
    // Bytes without a type are bytes, not text.
    utf8: false,
    compressors,
  });
  if (rows.length !== count) throw new Error(`${rows.length} of ${count} rows of ${column} came`);
  return rows.map((row: Record<string, unknown>) => {
    const value = row[column!];
    return field === undefined ? value : (value as Record<string, unknown> | null | undefined)?.[field];
  });
}
