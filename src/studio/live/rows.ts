import { rowRange, selectRows, type Matrix } from '../../core/matrix.ts';
import { blocksOf, gatheredRows, matrixRows } from '../../core/rows.ts';
import { SPLITS } from '../../core/sample.ts';
import { exactIndex } from '../../classify/neighbors/exact.ts';
import type { Neighbors } from '../../classify/neighbors/neighbor-index.ts';
import type { FeatureStream } from '../../store/read/feature-stream.ts';
import type { SampleTable } from '../../store/read/sample-table.ts';
import { turns } from './turns.ts';

/** Features of all images of a snapshot in its pooling, by row. */
export interface LiveRows {
  /** Of these rows, in their order. */
  rows(wanted: readonly number[]): Promise<Matrix>;
  /** Every row once, a part at a time; row j of X is that of rowOf(j). X is valid until the promise is kept. */
  each(work: (X: Matrix, rowOf: (j: number) => number) => Promise<void>): Promise<void>;
  /** Exact search by the cosine: indices are rows, and equal distances come in their order. */
  search(queries: Matrix, k: number): Promise<Neighbors>;
}

/** Rows of a part. */
const PART = 8192;

/** Of features in memory, row i of X for row i. */
export function heldRows(X: Matrix): LiveRows {
  const index = exactIndex(matrixRows(X), 'cosine');
  return {
    rows: (wanted) => Promise.resolve(selectRows(X, wanted)),
    async each(work) {
      for (let from = 0; from < X.rows; from += PART) {
        const to = Math.min(X.rows, from + PART);
        await work(rowRange(X, from, to), (j) => from + j);
      }
    },
    search: (queries, k) => index.search(queries, k),
  };
}

/** Of features that are read from the disk at each call, a shard at a time. `stream` is of all splits. */
export function streamedRows(stream: FeatureStream, samples: SampleTable): LiveRows {
  // The stream counts its places split by split.
  const ofSplit = SPLITS.map(() => [] as number[]);
  for (let i = 0; i < samples.length; i++) ofSplit[SPLITS.indexOf(samples.splitOf(i))]!.push(i);
  const rowAtPlace = Int32Array.from(ofSplit.flat());
  const rowOf = stream.places.map((place) => rowAtPlace[place]!);
  const at = new Int32Array(rowOf.length);
  rowOf.forEach((wanted, i) => (at[wanted] = i));
  const index = exactIndex(stream, 'cosine', { numbers: rowOf });
  // A stream has one buffer, so one reader at a time.
  const inTurn = turns();
  return {
    rows: (wanted) =>
      inTurn(() =>
        gatheredRows(
          stream,
          wanted.map((i) => at[i]!),
        ),
      ),
    each: (work) =>
      inTurn(async () => {
        for await (const { start, X } of blocksOf(stream)) await work(X, (j) => rowOf[start + j]!);
      }),
    search: (queries, k) => inTurn(() => index.search(queries, k)),
  };
}
