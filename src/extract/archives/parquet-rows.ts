import { PermafrostError } from '../../core/errors.ts';
import { stampText } from '../../core/files/file-stamp.ts';
import type { ByteFile } from './byte-file.ts';
import { imagesInGroup, openParquet, type ParquetImages } from './parquet-file.ts';

/** Bytes of images that are kept of the row groups read last; the last two are kept in any case. */
const KEPT_BYTES = 2 ** 28;
const LEAST_GROUPS = 2;

/**
 * The path of a row's image in its file: its number, in so many digits that paths sort as rows do, and the name that is
 * kept beside its bytes: 000017/cat.jpg.
 */
export function rowPath(row: number, rows: number, name: string | undefined): string {
  const number = String(row).padStart(Math.max(6, String(rows - 1).length), '0');
  const base = name?.split(/[/\\]/).at(-1) ?? '';
  return base === '' || base === '.' || base === '..' || base.includes('\0') ? number : `${number}/${base}`;
}

/** The row that a path of `rowPath` means. */
export const rowIn = (path: string): number => Number(/^(\d+)(\/|$)/.exec(path)?.[1] ?? NaN);

/** Images in the rows of Parquet files, which come a row group at a time. */
export interface ParquetRows {
  /** Throws IMAGE_UNREADABLE where there is no such row, or it has no bytes; and as openParquet. */
  image(file: ByteFile, row: number): Promise<Buffer>;
  clear(): void;
}

/** What stays so until the file is another: a damaged part may take half a minute to be found out, for each image. */
const isDamage = (error: unknown): boolean => error instanceof PermafrostError && error.code === 'ARCHIVE_CORRUPT';

export function parquetRows(): ParquetRows {
  const files = new Map<string, { readonly stamp: string; readonly parquet: Promise<ParquetImages> }>();
  const groups = new Map<string, { readonly bytes: number; readonly images: Promise<(Uint8Array | undefined)[]> }>();

  function opened(file: ByteFile, stamp: string): Promise<ParquetImages> {
    const known = files.get(file.name);
    if (known?.stamp === stamp) return known.parquet;
    const parquet = openParquet(file);
    files.set(file.name, { stamp, parquet });
    parquet.catch((error: unknown) => isDamage(error) || files.delete(file.name)); // its caller hears of it
    return parquet;
  }
  function dropOldest(): void {
    let bytes = 0;
    for (const group of groups.values()) bytes += group.bytes;
    for (const [key, group] of groups) {
      if (bytes <= KEPT_BYTES || groups.size <= LEAST_GROUPS) break;
      groups.delete(key);
      bytes -= group.bytes;
    }
  }

  return {
    async image(file, row) {
      const unreadable = (reason: string): never => {
        throw new PermafrostError('IMAGE_UNREADABLE', reason);
      };
      const stamp = stampText(file.stamp);
      const parquet = await opened(file, stamp);
      const at = parquet.groups.findIndex(({ start, end }) => row >= start && row < end);
      if (at < 0) return unreadable(`${file.name} has no row ${row} any more. Run again to list it anew.`);
      const group = parquet.groups[at]!;
      const key = `${file.name} ${stamp} ${at}`;
      const known = groups.get(key);
      groups.delete(key);
      const images = known?.images ?? imagesInGroup(file, parquet, group);
      groups.set(key, { bytes: group.bytes, images });
      images.catch((error: unknown) => isDamage(error) || groups.delete(key)); // its caller hears of it
      dropOldest();
      const bytes = (await images)[row - group.start];
      if (bytes === undefined) return unreadable('The row has no bytes of an image.');
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    },
    clear() {
      files.clear();
      groups.clear();
    },
  };
}
