// @ts-check
// From how many rows on do graphs answer sooner than an exact scan, with and without the time that building them takes?
//   npm run build && node bench/neighbors/crossing.mjs [--rows 5000,20000,50000] [--columns 512] [--rounds 3] [--recall
// 0.99] Rows have the structure of frozen features. For each number of rows: seconds to build two graphs by two
// threads, to read them, to measure their recall and choose ef, and a query by each search (1,000 of them, all cores).
// Then the numbers of queries from which graphs pay, kept and built first, and what `neighbors --index auto` takes at
// these. At the end the constants of src/workflows/search/choose-index.ts as measured here. Writes
// bench/results/crossing-<time>.json.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineFacts, writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { dist } from '../store/dist.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '5000,20000,50000' },
    columns: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '3' },
    recall: { type: 'string', default: '0.99' },
  },
});
const { buildGraphFiles } = await dist('classify/neighbors/hnsw-threads.js');
const { searchThreads, teamsFor } = await dist('classify/neighbors/search-threads.js');
const { chooseEf, graphIndex, rowsApart, rowsWithout } = await dist('classify/neighbors/hnsw.js');
const { othersMeter } = await dist('classify/neighbors/recall.js');
const { exactIndex } = await dist('classify/neighbors/exact.js');
const { matrixRows } = await dist('core/rows.js');
const { random } = await dist('core/random.js');
const { chooseIndex, COSTS } = await dist('workflows/search/choose-index.js');

const [cols, rounds, recall, K, QUERIES] = [
  Number(values.columns),
  Number(values.rounds),
  Number(values.recall),
  5,
  1000,
];

/** Non-negative and sparse as after a ReLU, in 200 loose clusters, rows of length 1. */
function generated(/** @type {number} */ rows, /** @type {number} */ seed) {
  const centres = random(1);
  const means = Float32Array.from({ length: 200 * cols }, () => 0.8 * centres.normal());
  const source = random(seed);
  const data = new Float32Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    const cluster = Math.floor(source.uniform() * 200);
    let squares = 0;
    for (let j = 0; j < cols; j++) {
      const value = Math.max(0, /** @type {number} */ (means[cluster * cols + j]) + source.normal() - 0.7);
      data[i * cols + j] = value;
      squares += value * value;
    }
    const own = data.subarray(i * cols, (i + 1) * cols);
    own.forEach((value, j) => (own[j] = value / Math.sqrt(squares)));
  }
  return { data, rows, cols };
}

/** @param {() => Promise<unknown>} work */
async function seconds(work) {
  const since = performance.now();
  await work();
  return (performance.now() - since) / 1000;
}

const folder = mkdtempSync(join(tmpdir(), 'permafrost-bench-crossing-'));
const results = [];
try {
  const Q = generated(QUERIES, 3);
  for (const rows of values.rows.split(',').map(Number)) {
    const X = generated(rows, 2);
    const apart = rowsApart(rows, 1);
    const paths = [0, 1].map((i) => join(folder, `${rows}-${i}`));
    const options = { metric: 'cosine', M: 16, efConstruction: 200, seed: 1 };
    const held = rowsWithout(rows, apart);
    const build = await seconds(() => buildGraphFiles(X, options, paths, undefined, undefined, held));
    /** @type {any} */
    let threads;
    const read = await seconds(
      async () => (threads = await searchThreads(paths, 'cosine', cols, teamsFor(2, 1, Infinity))),
    );
    /** @type {any} */
    let chosen;
    const measure = await seconds(async () => {
      const meter = await othersMeter(X, 'cosine', apart, K);
      chosen = await chooseEf(threads, X, 'cosine', { recall, k: K }, meter);
    });
    /** @type {Record<string, any>} */
    const indices = {
      float32: exactIndex(matrixRows(X), 'cosine', { scan: 'float32' }),
      int8: exactIndex(matrixRows(X), 'cosine', { scan: 'int8' }),
      graphs: graphIndex(threads, X, 'cosine', chosen.ef, apart),
    };
    const sides = Object.keys(indices);
    /** @type {Record<string, number[]>} */
    const times = Object.fromEntries(sides.map((side) => [side, []]));
    for (const side of sides) await indices[side].search({ data: Q.data.subarray(0, 32 * cols), rows: 32, cols }, K);
    for (let round = 0; round < rounds; round++) {
      for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
        times[side]?.push((await seconds(() => indices[side].search(Q, K))) / QUERIES);
      }
    }
    await threads.end();
    const [float32, int8, graphs] = sides.map((side) => median(times[side] ?? []));
    const gain = Number(float32) - Number(graphs);
    // Both read the features; an exact search of a command is in float32.
    const kept = gain > 0 ? Math.ceil((read + measure) / gain) : null;
    const built = gain > 0 ? Math.ceil((build + read + measure) / gain) : null;
    const auto = [kept, built].map((queries, at) =>
      queries === null
        ? null
        : [0.5, 2].map(
            (times) =>
              chooseIndex({ rows, cols, queries: times * queries, kept: at === 0, hindrance: undefined }).index,
          ),
    );
    const line = {
      rows,
      build,
      read,
      measure,
      ef: chosen.ef,
      recall: chosen.recall,
      float32,
      int8,
      graphs,
      kept,
      built,
      auto,
    };
    results.push(line);
    const ms = (/** @type {number | undefined} */ value) => `${(1000 * Number(value)).toFixed(3)} ms`;
    console.log(
      `${rows} rows: build ${build.toFixed(1)} s, read ${read.toFixed(2)} s, measure ${measure.toFixed(2)} s (ef ${chosen.ef}, recall@${K} ${chosen.recall.toFixed(4)}); a query: float32 ${ms(float32)}, int8 ${ms(int8)}, graphs ${ms(graphs)}; graphs pay from ${kept ?? 'no number of'} queries where they are kept, from ${built ?? 'no number of'} where they are built; auto at half and twice as many: ${JSON.stringify(auto)}`,
    );
    for (const path of paths) rmSync(path);
  }
} finally {
  rmSync(folder, { recursive: true });
}
const last = results.at(-1);
if (last !== undefined) {
  const values_ = last.rows * cols;
  const measured = {
    scan: Number(last.float32) / values_,
    readGraph: last.read / values_,
    build: last.build / values_,
    search: Number(last.graphs) / cols,
  };
  console.log(
    `constants of auto: ${JSON.stringify(COSTS)}; as measured at ${last.rows} rows: ${JSON.stringify(measured)}`,
  );
}
console.log(
  writeReport('crossing', { question: 'From how many rows on do graphs pay?', machine: machineFacts(), results }),
);
