import { open } from 'node:fs/promises';
import { parquetReader } from './parquet-packages.ts';

/** Some rows of a Parquet file: what is in each of the columns that were asked for, null where nothing is. */
export interface ParquetRows {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

/**
 * Columns of a Parquet file that permafrost wrote, a row group at a time. Verify its SHA-256 first: damaged pages can
 * keep the reader busy without end. Throws PACKAGE_MISSING, and what the reader throws.
 */
export async function* readParquet(path: string, columns: readonly string[]): AsyncGenerator<ParquetRows> {
  const { parquetMetadataAsync, parquetReadObjects } = await parquetReader();
  const handle = await open(path, 'r');
  try {
    const { size: byteLength } = await handle.stat();
    const file = {
      byteLength,
      async slice(start: number, end = byteLength) {
        const bytes = new Uint8Array(end - start);
        await handle.read(bytes, 0, bytes.length, start);
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(file);
    let from = 0;
    for (const { num_rows: count } of metadata.row_groups) {
      const rowEnd = from + Number(count);
      const rows = await parquetReadObjects({ file, metadata, columns: [...columns], rowStart: from, rowEnd });
      yield {
        rows: rows.length,
        columns: new Map(columns.map((name) => [name, rows.map((row: Record<string, unknown>) => row[name] ?? null)])),
      };
      from = rowEnd;
    }
  } finally {
    await handle.close();
  }
}
