// Started by hnsw-threads.ts: builds one graph of the rows that it gets, and writes it into a file.
import { parentPort, workerData } from 'node:worker_threads';
import { serveOrders } from '../../core/threads.ts';
import { emptyGraph, insertRows } from './hnsw-graph.ts';
import type { GraphAnswer, GraphOrder, GraphThreadData } from './hnsw-threads.ts';

const { rows, cols, options } = workerData as GraphThreadData;
const port = parentPort!;
const tell = (answer: GraphAnswer): void => port.postMessage(answer);

const graph = emptyGraph(rows, cols, options);

serveOrders<GraphOrder>(async (order, signal) => {
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
    { signal },
    (more) => tell({ kind: 'inserted', rows: more }),
  );
  tell({ kind: 'ready' });
});
