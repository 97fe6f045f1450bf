// A thread of its own, started by hnsw-threads.ts: it builds one graph of the rows that it gets, and writes it into a file.
import { parentPort, workerData } from 'node:worker_threads';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { emptyGraph, insertRows } from './hnsw-graph.ts';
import type { GraphAnswer, GraphOrder, GraphThreadData } from './hnsw-threads.ts';

const { rows, cols, options } = workerData as GraphThreadData;
const port = parentPort!;
const tell = (answer: GraphAnswer): void => port.postMessage(answer);

/** Aborted by the order to end: inserting stops at its next look, and then nothing keeps the thread. */
const stop = new AbortController();
const graph = emptyGraph(rows, cols, options);
/** One order after the other. */
let last: Promise<void> = Promise.resolve();

async function follow(order: Exclude<GraphOrder, 'end'>): Promise<void> {
  if (order.kind === 'write') {
    await (await graph).writeIndex(order.path);
    tell({ kind: 'written' });
    return;
  }
  const { data, numbers } = order;
  const X = { data, rows: numbers.length, cols };
  await insertRows(
    await graph,
    X,
    (i) => numbers[i]!,
    { signal: stop.signal },
    (more) => tell({ kind: 'inserted', rows: more }),
  );
  tell({ kind: 'ready' });
}

port.on('message', (order: GraphOrder) => {
  if (order === 'end') {
    stop.abort();
    port.close();
    return;
  }
  last = last
    .then(() => follow(order))
    .catch((error: unknown) => {
      const code = error instanceof PermafrostError ? error.code : null;
      tell({ kind: 'failed', code, message: reasonOf(error) });
    });
});
