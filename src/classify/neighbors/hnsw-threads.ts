import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { selectRows, type Matrix } from '../../core/matrix.ts';
import { startThreads } from '../../core/threads.ts';
import type { FitContext } from '../head.ts';
import { loadHnsw, type HnswGraphOptions } from './hnsw-graph.ts';

/** What a thread is started with. */
export interface GraphThreadData {
  /** Rows that its graph will have. */
  readonly rows: number;
  readonly cols: number;
  readonly options: HnswGraphOptions;
}

/** An order to a thread: rows (numbers.length, cols) to insert under these numbers, or where to write its graph. */
export type GraphOrder =
  | { readonly kind: 'rows'; readonly data: Float32Array; readonly numbers: Int32Array }
  | { readonly kind: 'write'; readonly path: string };

/** What a thread says. `ready`: the rows of an order are in. */
export type GraphAnswer =
  { readonly kind: 'inserted'; readonly rows: number } | { readonly kind: 'ready' } | { readonly kind: 'written' };

const ENTRY = new URL(`./hnsw-thread${extname(import.meta.url)}`, import.meta.url);

/** Rows that are sent at once: 2 MiB of 512 features. The next ones are under way while these are inserted. */
const BATCH = 1024;

/**
 * Builds and writes a graph a path over the rows `picked` of X (n, d), by default all, a thread each: they are dealt
 * out in turn, under their numbers in X. The same rows, options and number of paths give the same graphs. `inserted`
 * gets the number of rows added. Throws PACKAGE_MISSING; INTERRUPTED, when the threads have ended; what writing throws.
 */
export async function buildGraphFiles(
  X: Matrix,
  options: HnswGraphOptions,
  paths: readonly string[],
  { signal }: FitContext = {},
  inserted: (rows: number) => void = () => undefined,
  picked?: readonly number[],
): Promise<void> {
  // A missing package is reported here, not by a thread that fails to start.
  await loadHnsw();
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const built = paths.map(async (path, first) => {
    const rows = Math.ceil(((picked?.length ?? X.rows) - first) / paths.length);
    const numbers = Int32Array.from({ length: rows }, (_, i) => {
      const at = first + i * paths.length;
      return picked?.[at] ?? at;
    });
    try {
      await buildOne(X, numbers, options, path, stop, inserted);
    } catch (error) {
      // One graph alone is of no use.
      failed.abort(error);
      throw error;
    }
  });
  const problems = (await Promise.allSettled(built)).flatMap((one) =>
    one.status === 'rejected' ? [one.reason as Error] : [],
  );
  // Where a thread failed the others were interrupted for that.
  if (problems.length > 0) throw signal?.aborted === true ? problems[0]! : (failed.signal.reason as Error);
}

async function buildOne(
  X: Matrix,
  numbers: Int32Array,
  options: HnswGraphOptions,
  path: string,
  signal: AbortSignal,
  inserted: (rows: number) => void,
): Promise<void> {
  const data: GraphThreadData = { rows: numbers.length, cols: X.cols, options };
  const threads = startThreads<GraphOrder, GraphAnswer>({
    entry: ENTRY,
    count: 1,
    data,
    signal,
    interrupted: 'Building the index was interrupted.',
    failure: ({ message }) => new Error(`A thread that builds the index failed: ${message}`),
  });
  const [worker] = threads.workers as [Worker];

  /** Waits until the thread says that it has done one order. */
  async function done(): Promise<void> {
    for (;;) {
      const { message } = await threads.next();
      if (message.kind !== 'inserted') return;
      inserted(message.rows);
    }
  }

  try {
    for (let at = 0; at < numbers.length; at += BATCH) {
      const some = numbers.slice(at, at + BATCH);
      const rows = selectRows(X, some).data;
      const moved = [rows.buffer as ArrayBuffer, some.buffer];
      threads.send(worker, { kind: 'rows', data: rows, numbers: some }, moved);
      // The next rows are on their way while these are inserted.
      if (at > 0) await done();
    }
    if (numbers.length > 0) await done();
    threads.send(worker, { kind: 'write', path });
    await done();
  } finally {
    await threads.end();
  }
}
