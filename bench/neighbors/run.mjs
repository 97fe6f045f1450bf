// @ts-check
// How fast are neighbours against faiss, hnswlib and usearch on the same arrays, in the same run?
//   npm run build && node bench/neighbors/run.mjs [--rounds 3] [--only WORDS] [--exact] [--side WORDS]...
// Exact answers are compared with faiss' before anything counts; approximate ones get their recall against them. Each
// search runs in a fresh process, in alternating order, after a warm-up on 32 queries; building is timed apart
// (permafrost's graphs are written and read back). Processor seconds stand beside the wall's:
// on a machine that others use they tell more. --only takes the tasks, --side the programs whose names contain the
// words. Writes bench/results/neighbors-<time>.json.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../median.mjs';
import { peerPython } from '../peer-environment.mjs';

/**
 * @typedef {{ buildSeconds: number, buildCpuSeconds: number, seconds: number, cpuSeconds: number, indices: number[] }}
 *   Answer
 * @typedef {{ name: string, rows: number, queries: number, columns: number, approximate: boolean }} Task
 */

const K = 10;
/** @type {readonly Task[]} */
const TASKS = [
  { name: '1,000 queries on 10,000 x 512', rows: 10_000, queries: 1000, columns: 512, approximate: true },
  { name: '1,000 queries on 50,000 x 512', rows: 50_000, queries: 1000, columns: 512, approximate: true },
  { name: '1,000 queries on 200,000 x 512', rows: 200_000, queries: 1000, columns: 512, approximate: true },
  { name: '1,000 queries on 5,000 x 25,088', rows: 5000, queries: 1000, columns: 25_088, approximate: false },
];

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    exact: { type: 'boolean', default: false },
    side: { type: 'string', multiple: true, default: [''] },
  },
});
const rounds = Number(values.rounds);
const tasks = TASKS.filter(({ name }) => name.includes(values.only));
if (!(rounds >= 1) || tasks.length === 0) {
  throw new Error('Usage: node bench/neighbors/run.mjs [--rounds 3] [--only WORDS] [--exact] [--side WORDS]...');
}

const python = peerPython('neighbors', 'faiss, hnswlib, usearch: 0.2 GB');
const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'permafrost-bench-neighbors-'));

/** @type {Readonly<Record<string, { exact: boolean, program: string, script: string, what: string }>>} */
const SIDES = {
  'faiss IndexFlatIP': { exact: true, program: python, script: 'peer.py', what: 'faiss-flat' },
  'permafrost exact, float32 scan': {
    exact: true,
    program: process.execPath,
    script: 'ours.mjs',
    what: 'float32',
  },
  'permafrost exact, int8 scan': { exact: true, program: process.execPath, script: 'ours.mjs', what: 'int8' },
  'faiss HNSW': { exact: false, program: python, script: 'peer.py', what: 'faiss-hnsw' },
  'hnswlib (Python)': { exact: false, program: python, script: 'peer.py', what: 'hnswlib' },
  'usearch (Python)': { exact: false, program: python, script: 'peer.py', what: 'usearch' },
  'permafrost hnsw, one graph': {
    exact: false,
    program: process.execPath,
    script: 'ours.mjs',
    what: 'hnsw-1',
  },
  'permafrost hnsw, one graph, one thread': {
    exact: false,
    program: process.execPath,
    script: 'ours.mjs',
    what: 'hnsw-1-alone',
  },
  'permafrost hnsw, two graphs': {
    exact: false,
    program: process.execPath,
    script: 'ours.mjs',
    what: 'hnsw-2',
  },
  'permafrost hnsw, two graphs, a thread each': {
    exact: false,
    program: process.execPath,
    script: 'ours.mjs',
    what: 'hnsw-2-dealt',
  },
};

/**
 * @param {string} side
 * @param {Task} task
 * @returns {Answer}
 */
function answer(side, { columns }) {
  const { program, script, what } = /** @type {(typeof SIDES)[string]} */ (SIDES[side]);
  const out = execFileSync(program, [here(script), what, String(K), String(columns), folder], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(out);
}

/**
 * The share of the true neighbours that are among those found.
 * @param {number[]} truth
 * @param {number[]} found
 */
function recall(truth, found) {
  let hits = 0;
  for (let at = 0; at < truth.length; at += K) {
    const near = new Set(truth.slice(at, at + K));
    hits += found.slice(at, at + K).filter((index) => near.has(index)).length;
  }
  return hits / truth.length;
}

/** @param {Task} task */
function measure(task) {
  const sides = Object.keys(SIDES).filter(
    (side) =>
      values.side.some((words) => side.includes(words)) && (SIDES[side]?.exact || (task.approximate && !values.exact)),
  );
  /** @type {Record<string, Answer[]>} */
  const runs = Object.fromEntries(sides.map((side) => [side, []]));
  const truth = answer('faiss IndexFlatIP', task).indices;
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that a machine that warms up or slows down favours nobody.
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      const result = answer(side, task);
      const found = recall(truth, result.indices);
      // faiss sums in float32 and permafrost in float64: two rows at nearly one distance may change places around the
      // k-th.
      if (SIDES[side]?.exact && found < 0.9995)
        throw new Error(`${task.name}: ${side} finds ${found} of faiss' neighbours.`);
      runs[side]?.push(result);
      console.error(
        `  round ${round + 1}  ${side}: build ${result.buildSeconds.toFixed(1)} s, processor ${result.buildCpuSeconds.toFixed(1)} s; search ${(1000 * result.seconds).toFixed(0)} ms, processor ${(1000 * result.cpuSeconds).toFixed(0)} ms, recall ${found.toFixed(4)}`,
      );
    }
  }
  return sides.map((side) => {
    const own = runs[side] ?? [];
    const of = (/** @type {(run: Answer) => number} */ value) => median(own.map(value));
    return {
      side,
      buildSeconds: of((run) => run.buildSeconds),
      buildCpuSeconds: of((run) => run.buildCpuSeconds),
      seconds: of((run) => run.seconds),
      cpuSeconds: of((run) => run.cpuSeconds),
      recall: recall(truth, own[0]?.indices ?? []),
      rounds: own.map((run) => ({ ...run, indices: undefined })),
    };
  });
}

/** @type {{ task: Task, sides: ReturnType<typeof measure> }[]} */
const results = [];
try {
  for (const task of tasks) {
    execFileSync(python, [here('make_data.py'), ...[task.rows, task.queries, task.columns].map(String), folder]);
    results.push({ task, sides: measure(task) });
  }
} finally {
  rmSync(folder, { recursive: true });
}

const report = {
  question: 'How fast are neighbours against faiss, hnswlib and usearch?',
  date: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), loadAverageAtEnd: loadavg() },
  results,
};
mkdirSync(join(root, 'bench/results'), { recursive: true });
const file = join(root, `bench/results/neighbors-${report.date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);

console.log(
  `${report.machine.cpu}, ${report.machine.cores} cores; median of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}`,
);
for (const { task, sides } of results) {
  console.log(`${task.name}, k = ${K}`);
  const flat = sides.find(({ side }) => side === 'faiss IndexFlatIP')?.seconds;
  for (const { side, buildSeconds, buildCpuSeconds, seconds, cpuSeconds, recall } of sides) {
    const figures = `build ${buildSeconds.toFixed(2)} s (processor ${buildCpuSeconds.toFixed(1)} s), search ${(1000 * seconds).toFixed(0)} ms (processor ${(1000 * cpuSeconds).toFixed(0)} ms)${flat === undefined ? '' : `, ${(seconds / flat).toFixed(2)} of faiss' time`}`;
    console.log(`  ${side}: ${figures}, recall@${K} ${recall.toFixed(4)}`);
  }
}
console.log(file);
