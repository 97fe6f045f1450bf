import type { AsyncBuffer, FileMetaData } from 'hyparquet';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { ByteFile } from './byte-file.ts';

export type { FileMetaData } from 'hyparquet';

/** What reads Parquet: the format itself, and what its pages may be compressed with. */
async function load() {
  try {
    const [format, { compressors }] = await Promise.all([import('hyparquet'), import('hyparquet-compressors')]);
    return { ...format, compressors };
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `Parquet is read by the packages hyparquet and hyparquet-compressors, which do not load: ${reasonOf(cause)}. Install them beside permafrost: npm install hyparquet hyparquet-compressors.`,
      { cause },
    );
  }
}

let loaded: ReturnType<typeof load> | undefined;
function packages(): ReturnType<typeof load> {
  loaded ??= load();
  loaded.catch(() => (loaded = undefined)); // its caller hears of it
  return loaded;
}

/** The bytes of a Buffer alone, without a copy where it has its memory for itself. */
function ownBuffer({ buffer, byteOffset, length }: Buffer): ArrayBuffer {
  const memory = buffer as ArrayBuffer;
  return length === memory.byteLength ? memory : memory.slice(byteOffset, byteOffset + length);
}

const asyncBuffer = (file: ByteFile): AsyncBuffer => ({
  byteLength: Number(file.stamp.size),
  slice: async (start, end = Number(file.stamp.size)) => ownBuffer(await file.read(start, end - start)),
});

/** Throws ARCHIVE_CORRUPT for what hyparquet says of a file. */
async function reading<T>(file: ByteFile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'ARCHIVE_CORRUPT',
      `${file.name} cannot be read as Parquet: ${reasonOf(cause)}. Get it again, or write it anew.`,
      { cause },
    );
  }
}

/** What stands at the end of a Parquet file: its columns, and where their parts lie. Throws ARCHIVE_CORRUPT. */
export async function readMetadata(file: ByteFile): Promise<FileMetaData> {
  const { parquetMetadataAsync } = await packages();
  return reading(file, () => parquetMetadataAsync(asyncBuffer(file)));
}

/** Some columns of the rows from `start` to before `end`: an object a row. Throws ARCHIVE_CORRUPT. */
export async function readRows(
  file: ByteFile,
  metadata: FileMetaData,
  { columns, start, end }: { readonly columns: readonly string[]; readonly start: number; readonly end: number },
): Promise<Record<string, unknown>[]> {
  const { parquetReadObjects, compressors } = await packages();
  return reading(file, () =>
    parquetReadObjects({
      file: asyncBuffer(file),
      metadata,
      columns: [...columns],
      rowStart: start,
      rowEnd: end,
      // Bytes without a type are bytes, not text.
      utf8: false,
      compressors,
    }),
  );
}
