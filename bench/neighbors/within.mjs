// @ts-check
// Within a memory that does not hold a graph and all features: are HNSW graphs that are read, searched and freed one
// after the other faster than an exact search that reads the features a shard at a time?
//   npm run build && node bench/neighbors/within.mjs [--rows 50000] [--graphs 4] [--rounds 3] [--queries 1,10,200,1000]
// Both read all they have for each command, from the disk or its cache, so these times grow with the rows. Opening
// graphs also measures their recall again against an exact search of 200 rows, which has to be added to them: see the
// exact search of as many queries. The store is generated, 512 numbers a row. Prints, for each number of queries, the
// medians of both in milliseconds.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeMillion } from '../classify/million-store.mjs';
import { machineFacts, writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { dist } from '../store/dist.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '50000' },
    graphs: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    queries: { type: 'string', default: '1,10,200,1000' },
  },
});
const { buildGraphFiles } = await dist('classify/neighbors/hnsw-threads.js');
const { readGraph } = await dist('classify/neighbors/hnsw-graph.js');
const { exactIndex } = await dist('classify/neighbors/exact.js');
const { openStore } = await dist('store/open.js');
const { selectRows } = await dist('core/matrix.js');

const rows = Number(values.rows);
const K = 5;
const folder = mkdtempSync(join(tmpdir(), 'permafrost-bench-within-'));
try {
  const path = join(folder, 'store');
  await makeMillion(path, rows, 100);
  const store = await openStore(path);
  const trained = { parts: 'avg', splits: ['train'] };
  const { matrix: X } = await store.rows({ ...trained, memory: 'matrix' });
  const paths = Array.from({ length: Number(values.graphs) }, (_, i) => join(folder, `graph-${i}`));
  const options = { metric: 'cosine', M: 16, efConstruction: 200, seed: 1 };
  let since = performance.now();
  await buildGraphFiles(X, options, paths);
  const buildSeconds = (performance.now() - since) / 1000;
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  console.log(
    `${paths.length} graphs of ${X.rows} rows: built in ${buildSeconds.toFixed(0)} s, ${(bytes / X.rows).toFixed(0)} bytes a row`,
  );

  const stream = await store.rows({ ...trained, memory: 'blocks' });
  const exact = exactIndex(stream, 'cosine', { numbers: stream.places });
  const results = [];
  for (const count of values.queries.split(',').map(Number)) {
    const queries = selectRows(
      X,
      Int32Array.from({ length: count }, (_, i) => (i * 37) % X.rows),
    );
    /** @type {{ graphs: number[], reading: number[], exact: number[] }} */
    const times = { graphs: [], reading: [], exact: [] };
    for (let round = 0; round <= Number(values.rounds); round++) {
      since = performance.now();
      let reading = 0;
      for (const path of paths) {
        const before = performance.now();
        const graph = await readGraph(path, 'cosine', X.cols);
        reading += performance.now() - before;
        graph.setEf(50);
        for (let q = 0; q < count; q++)
          graph.searchKnn(Array.from(queries.data.subarray(q * X.cols, (q + 1) * X.cols)), K);
      }
      const graphs = performance.now() - since;
      since = performance.now();
      await exact.search(queries, K);
      const exactMs = performance.now() - since;
      // The first round warms both up, the files too.
      if (round === 0) continue;
      times.graphs.push(graphs);
      times.reading.push(reading);
      times.exact.push(exactMs);
    }
    const line = {
      queries: count,
      graphsMs: median(times.graphs),
      readingMs: median(times.reading),
      exactMs: median(times.exact),
    };
    results.push(line);
    const million = (/** @type {number} */ ms) => `${((ms / X.rows) * 1000).toFixed(1)} s`;
    console.log(
      `${String(count).padStart(5)} queries: graphs ${line.graphsMs.toFixed(0)} ms, of it reading them ${line.readingMs.toFixed(0)}; exact ${line.exactMs.toFixed(0)} ms; of a million rows: reading graphs ${million(line.readingMs)}, exact ${million(line.exactMs)}`,
    );
  }
  console.log(machineFacts().cpu);
  console.log(
    writeReport('neighbors-within', {
      rows: X.rows,
      graphs: paths.length,
      bytesPerRow: bytes / X.rows,
      buildSeconds,
      results,
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
