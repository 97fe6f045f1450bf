import { PermafrostError, reasonOf } from '../errors.ts';

export type { AsyncBuffer, FileMetaData } from 'hyparquet';
export type { ColumnSource, SchemaElement } from 'hyparquet-writer';

/** Imports a package, which is loaded on use. Throws PACKAGE_MISSING. */
async function load<T>(what: string, wanted: () => Promise<T>, advice: string): Promise<T> {
  try {
    return await wanted();
  } catch (cause) {
    throw new PermafrostError('PACKAGE_MISSING', `${what} not load: ${reasonOf(cause)}. ${advice}`, { cause });
  }
}

/** What reads Parquet. Throws PACKAGE_MISSING. */
export const parquetReader = () =>
  load('Parquet is read by the package hyparquet, which does', () => import('hyparquet'), 'Install permafrost again.');

/** What writes Parquet. Throws PACKAGE_MISSING. */
export const parquetWriter = () =>
  load(
    'Parquet is written by the package hyparquet-writer, which does',
    () => import('hyparquet-writer'),
    'Install permafrost again, or write CSV.',
  );

/** What pages of other tools' Parquet files may be compressed with. Throws PACKAGE_MISSING. */
export const parquetCompressors = () =>
  load(
    'Pages of Parquet files are unpacked by the package hyparquet-compressors, which does',
    () => import('hyparquet-compressors'),
    'Install it beside permafrost: npm install hyparquet-compressors.',
  );
