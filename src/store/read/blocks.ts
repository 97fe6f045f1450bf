import { matrix } from '../../core/matrix.ts';
import type { Rows } from '../../core/rows.ts';
import type { StoreFiles } from './file.ts';
import type { PartLayout } from './find-rows.ts';
import type { RowLayout } from './layout.ts';
import { partReader } from './part.ts';

/** Rows that were found, and what they are read from. */
export interface FoundRows {
  readonly rows: number;
  readonly cols: number;
  readonly layout: RowLayout;
  readonly files: StoreFiles;
}

/** Rows of which some can be read without the others. */
export interface PickableRows extends Rows {
  /**
   * Rows of these numbers, each named once, into `out` one after the other, float32. Of rows in blocks each costs a
   * small read: what was read lately comes from the system's own memory of files. Throws STORE_CORRUPT.
   */
  pick(rows: readonly number[], out: Float32Array): Promise<void>;
}

/** Features of the images and of each view, and what they take. */
export interface ReadFeatures {
  readonly images: PickableRows;
  readonly views: readonly PickableRows[];
  /** The number of the sample of each row. */
  readonly places: Int32Array;
  /** Bytes that reading takes at once, and bytes while the rows are open. */
  readonly readingBytes: number;
  readonly openBytes: number;
}

/** Float32 values of a block in all its views, in bytes, where a block is not simply what a file holds. */
const BLOCK_BYTES = 2 ** 27;

/**
 * Rows in the order in which their first part is stored; with a single part a block is what one file holds. Other parts
 * and views follow that order, wherever they lie; a block then has at most 128 MiB of float32, all views together.
 */
export function blockRows({ rows, cols, layout, files }: FoundRows): ReadFeatures {
  const { places, views } = layout;
  const single = views.flat().length === 1;
  const most = Math.max(1, Math.floor(BLOCK_BYTES / (4 * cols * views.length)));
  const starts = single ? layout.starts : cutSmaller(layout.starts, most);
  const mostRows = starts.slice(1).reduce((largest, end, b) => Math.max(largest, end - starts[b]!), 0);

  function rowsOf(parts: readonly PartLayout[]): { readonly source: PickableRows; readonly bytes: number } {
    const readers = parts.map((part) => partReader(files, part));
    let values: Float32Array<ArrayBuffer> | undefined;
    const source: PickableRows = {
      rows,
      cols,
      starts,
      async pick(wanted, out) {
        const placeOf = new Map(wanted.map((row, i) => [row, i]));
        let left = 0;
        for (const [p, { width }] of parts.entries()) {
          const column = left;
          await readers[p]!.readRows(wanted, { out, offsetOf: (row) => placeOf.get(row)! * cols + column });
          left += width;
        }
      },
      async read(block, scales) {
        values ??= new Float32Array(mostRows * cols);
        const [from, to] = [starts[block]!, starts[block + 1]!];
        let column = 0;
        for (const [p, { width }] of parts.entries()) {
          const left = column;
          const offsetOf = (row: number): number => (row - from) * cols + left;
          await readers[p]!.read(from, to, { out: values, offsetOf, scales });
          column += width;
        }
        return matrix(to - from, cols, values.subarray(0, (to - from) * cols));
      },
    };
    return { source, bytes: readers.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  const all = views.map(rowsOf);
  const [images, ...others] = all.map(({ source }) => source);
  const bytes = all.reduce((sum, one) => sum + one.bytes, 0) + 4 * mostRows * cols * views.length;
  return { images: images!, views: others, places, readingBytes: bytes, openBytes: bytes };
}

/** Blocks of no more than `most` rows that end where the others do. */
function cutSmaller(starts: readonly number[], most: number): readonly number[] {
  return starts.flatMap((start, b) => {
    const end = starts[b + 1] ?? start;
    return Array.from({ length: Math.max(1, Math.ceil((end - start) / most)) }, (_, i) => start + i * most);
  });
}
