import type { ColumnPlace, FileMetaData } from './parquet-package.ts';

/** What a process of its own reads of a Parquet file; the bytes of the file go beside it. Plain data. */
export type ParquetTask = {
  /** What messages call the file. */
  readonly name: string;
} &
  /** Of the end of the file, with its metadata whole. */
  (
    | { readonly kind: 'metadata' }
    /** Of a column: `values` as they are; `images`, which are bytes, beside the answer. */
    | (ColumnPlace & { readonly kind: 'values' | 'images' })
  );

export type ParquetAnswer =
  | { readonly kind: 'metadata'; readonly metadata: FileMetaData }
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  /** All images lie one behind the other: how long each is, -1 where a row has none. Shape (rows). */
  | { readonly kind: 'images'; readonly lengths: Float64Array }
  | { readonly kind: 'failure'; readonly code: 'ARCHIVE_CORRUPT' | 'PACKAGE_MISSING'; readonly message: string };
