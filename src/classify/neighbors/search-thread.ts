// Started by search-threads.ts: reads the graphs that it is given, and gives their candidates for queries.
import { parentPort, workerData } from 'node:worker_threads';
import { serveOrders } from '../../core/threads.ts';
import { candidatesOf } from './graph-candidates.ts';
import { readGraph } from './hnsw-graph.ts';
import type { SearchAnswer, SearchOrder, SearchThreadData } from './search-threads.ts';

const { metric, cols } = workerData as SearchThreadData;
const port = parentPort!;
const tell = (answer: SearchAnswer, moved: ArrayBuffer[] = []): void => port.postMessage(answer, moved);

let graphs: Awaited<ReturnType<typeof readGraph>>[] = [];

serveOrders<SearchOrder>(async (order) => {
  if (order.kind === 'read') {
    graphs = [];
    for (const path of order.paths) graphs.push(await readGraph(path, metric, cols));
    tell({ kind: 'ready' });
    return;
  }
  const { data, rows, k, ef } = order;
  const found = candidatesOf(graphs, { data, rows, cols }, k, ef);
  tell({ kind: 'found', ...found }, [found.rows.buffer as ArrayBuffer]);
});
