// @ts-check
// One search by permafrost: node ours.mjs SCAN K COLUMNS FOLDER, SCAN one of float32, int8, hnsw-1, hnsw-2 (graphs,
// each built by a thread of its own, and searched by all cores, each with a copy), hnsw-1-alone (by this thread),
// hnsw-2-dealt (a thread a graph, no copies). Prints one line of JSON, as peer.py does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/classify/neighbors/${path}`, import.meta.url).href);
/** @type {typeof import('../../src/classify/neighbors/exact.ts')} */
const { exactIndex } = await built('exact.js');
/** @type {typeof import('../../src/core/rows.ts')} */
const { matrixRows } = await import(new URL('../../dist/core/rows.js', import.meta.url).href);
/** @type {typeof import('../../src/classify/neighbors/hnsw.ts')} */
const { graphIndex } = await built('hnsw.js');
/** @type {typeof import('../../src/classify/neighbors/hnsw-graph.ts')} */
const { readGraph } = await built('hnsw-graph.js');
/** @type {typeof import('../../src/classify/neighbors/graph-candidates.ts')} */
const { graphsHere } = await built('graph-candidates.js');
/** @type {typeof import('../../src/classify/neighbors/search-threads.ts')} */
const { searchThreads, teamsFor } = await built('search-threads.js');
/** @type {typeof import('../../src/classify/neighbors/hnsw-threads.ts')} */
const { buildGraphFiles } = await built('hnsw-threads.js');
await (await import(new URL('../../dist/core/onnxruntime.js', import.meta.url).href)).onnxRuntime();

const [scan, k, cols, folder] = [
  String(process.argv[2]),
  Number(process.argv[3]),
  Number(process.argv[4]),
  String(process.argv[5]),
];
/** @param {string} name */
function read(name) {
  const file = readFileSync(join(folder, name));
  const data = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4);
  return { data, rows: data.length / cols, cols };
}
const [X, Q] = [read('X.bin'), read('Q.bin')];
const few = { data: Q.data.subarray(0, 32 * cols), rows: 32, cols };

/** @type {(() => Promise<void>) | undefined} */
let end;
/** As `permafrost neighbors --index hnsw` builds an index: into files, which are read back. */
async function graphs(/** @type {number} */ count, /** @type {string | undefined} */ how) {
  const paths = Array.from({ length: count }, (_, i) => join(folder, `graph-${i}.bin`));
  await buildGraphFiles(X, { metric: 'cosine', M: 16, efConstruction: 200, seed: 1 }, paths);
  if (how === 'alone') {
    return graphIndex(
      graphsHere(await Promise.all(paths.map((path) => readGraph(path, 'cosine', cols)))),
      X,
      'cosine',
      50,
    );
  }
  const threads = await searchThreads(paths, 'cosine', cols, teamsFor(count, 1, how === 'dealt' ? 0 : Infinity));
  end = () => threads.end();
  return graphIndex(threads, X, 'cosine', 50);
}

const [started, before] = [performance.now(), process.cpuUsage()];
const index = scan.startsWith('hnsw-')
  ? await graphs(Number(scan.split('-')[1]), scan.split('-')[2])
  : exactIndex(matrixRows(X), 'cosine', { scan: /** @type {'float32' | 'int8'} */ (scan) });
// The first search of an exact index prepares its scan.
await index.search(few, k);
const [ready, cpu] = [performance.now(), process.cpuUsage()];
const building = process.cpuUsage(before);
const { indices } = await index.search(Q, k);
const used = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    buildSeconds: (ready - started) / 1000,
    buildCpuSeconds: (building.user + building.system) / 1e6,
    seconds: (performance.now() - ready) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
    indices: [...indices],
  }),
);
await end?.();
