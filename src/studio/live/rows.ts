import { rowRange, type Matrix } from '../../core/matrix.ts';
import { blocksOf, gatheredRows } from '../../core/rows.ts';
import { exactIndex } from '../../classify/neighbors/exact.ts';
import type { Neighbors } from '../../classify/neighbors/neighbor-index.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import { mutex } from '../../core/mutex.ts';

/** Features of all images of a snapshot in its pooling, by row. */
export interface LiveRows {
  /** Of these rows, in their order. */
  rows(wanted: readonly number[]): Promise<Matrix>;
  /** Every row once, in parts; row j of X is row rowOf(j). X is valid until the promise resolves. */
  each(work: (X: Matrix, rowOf: (j: number) => number) => Promise<void>): Promise<void>;
  /** Exact cosine search: indices are rows; ties come in the order of the rows. */
  search(queries: Matrix, k: number): Promise<Neighbors>;
}

/** Rows of a part at most. */
const PART = 8192;

/** `stored.places` are rows; features are in memory, or read from the disk at each call, a shard at a time. */
export function liveRows(stored: StoredRows): LiveRows {
  const { places } = stored;
  const at = new Int32Array(places.length);
  places.forEach((place, i) => (at[place] = i));
  const index = exactIndex(stored, 'cosine', { numbers: places });
  // Blocks share one buffer, so there is one reader at a time.
  const exclusive: ReturnType<typeof mutex> = stored.matrix ? (work) => work() : mutex();
  return {
    rows(wanted) {
      const places = wanted.map((i) => at[i]!);
      return exclusive(() => gatheredRows(stored, places));
    },
    each: (work) =>
      exclusive(async () => {
        for await (const { start, X } of blocksOf(stored)) {
          for (let from = 0; from < X.rows; from += PART) {
            const to = Math.min(X.rows, from + PART);
            await work(rowRange(X, from, to), (j) => places[start + from + j]!);
          }
        }
      }),
    search: (queries, k) => exclusive(() => index.search(queries, k)),
  };
}
