// @ts-check
// How fast are the heads against scikit-learn on the same arrays, in the same run?
//   npm run build && node bench/classify/run.mjs [--rounds 3] [--only WORDS]
// Answers are compared before anything counts: the same choice or an equal score, and 99 % equal predictions, 95 %
// where the losses differ (SVC and kernel-logistic). Each fit runs in a fresh process, in alternating order; what is
// timed is the fit alone, libraries started and arrays in memory; processor time stands beside it, for a busy machine.
// scikit-learn runs with its default threads and with one, for on two cores that share their time its threads wait for
// each other; ratios are to the faster of the two.
// Writes bench/results/classify-<time>.json.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peerPython } from '../peer-environment.mjs';
import { median } from '../median.mjs';
import { DATA, TASKS } from './tasks.mjs';

/**
 * @typedef {import('./tasks.mjs').Task} Task
 * @typedef {{ seconds: number, processorSeconds: number, secondsAfterGram?: number | null, choice: number | null,
 *   score: number | null, predictions: number[], accuracy: number, iterations: number | null, notConverged: boolean,
 *   versions: Record<string, string> }} Answer
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, only: { type: 'string', default: '' } },
});
const rounds = Number(values.rounds);
const tasks = TASKS.filter(({ name }) => name.includes(values.only));
if (!(rounds >= 1) || tasks.length === 0) {
  throw new Error('Usage: node bench/classify/run.mjs [--rounds 3] [--only WORDS]');
}

const python = peerPython('classify', 'scikit-learn: 0.3 GB');
const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'permafrost-bench-classify-'));

// What a user may have set for another purpose must not slow the peer down.
const environment = { ...process.env };
delete environment['OPENBLAS_CORETYPE'];
delete environment['OPENBLAS_NUM_THREADS'];
/** @type {Readonly<Record<string, (task: Task) => Answer>>} */
const SIDES = {
  'scikit-learn, default threads': (task) => answer(python, 'peer.py', task, {}),
  'scikit-learn, one thread': (task) =>
    answer(python, 'peer.py', task, { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' }),
  permafrost: (task) => answer(process.execPath, 'ours.mjs', task, {}),
};

/**
 * @param {string} program
 * @param {string} script
 * @param {Task} task
 * @param {Record<string, string>} extra
 * @returns {Answer}
 */
function answer(program, script, { task, data }, extra) {
  const out = execFileSync(program, [here(script), JSON.stringify(task), data, folder], {
    encoding: 'utf8',
    env: { ...environment, ...extra },
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(out);
}

/**
 * Throws where the answers are not equal: then there is nothing to time.
 * @param {Task} task
 * @param {Answer} peer
 * @param {Answer} ours
 */
function compare({ name, leastEqual = 0.99 }, peer, ours) {
  const equal = peer.predictions.filter((c, i) => c === ours.predictions[i]).length / peer.predictions.length;
  const sameChoice = peer.choice === null || Math.abs(Math.log(Number(ours.choice) / Number(peer.choice))) < 1e-6;
  // One of the 245 rows of the smallest data is 0.004: at the default tol one row on the border may fall on either
  // side.
  const sameScore = peer.score !== null && ours.score !== null && Math.abs(peer.score - ours.score) < 0.005;
  const line = `choice ${peer.choice} and ${ours.choice}, score ${peer.score} and ${ours.score}, ${(100 * equal).toFixed(2)} % equal predictions, accuracy ${peer.accuracy.toFixed(4)} and ${ours.accuracy.toFixed(4)}`;
  if (!(equal >= leastEqual) || !(sameChoice || sameScore) || ours.notConverged) {
    throw new Error(`${name}: not equal, so not timed. scikit-learn and permafrost: ${line}.`);
  }
  console.error(`${name}: ${line}`);
  return {
    equalPredictions: equal,
    accuracies: [peer.accuracy, ours.accuracy],
    choices: [peer.choice, ours.choice],
    scores: [peer.score, ours.score],
  };
}

/** @param {Task} task */
function measure(task) {
  const [peerSide, , ownSide] = Object.keys(SIDES);
  const quality = compare(task, SIDES[String(peerSide)]?.(task) ?? never(), SIDES[String(ownSide)]?.(task) ?? never());
  /** @type {Record<string, Answer[]>} */
  const found = Object.fromEntries(Object.keys(SIDES).map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that a machine that warms up or slows down favours nobody.
    const sides = Object.entries(SIDES);
    for (const [side, run] of round % 2 === 0 ? sides : sides.reverse()) {
      const result = { ...run(task), predictions: [] };
      found[side]?.push(result);
      console.error(`  round ${round + 1}  ${side}: ${result.seconds.toFixed(3)} s`);
    }
  }
  const seconds = Object.fromEntries(
    Object.entries(found).map(([side, runs]) => [side, median(runs.map((run) => run.seconds))]),
  );
  const processorSeconds = Object.fromEntries(
    Object.entries(found).map(([side, runs]) => [side, median(runs.map((run) => run.processorSeconds))]),
  );
  const [many, one, own] = Object.keys(SIDES).map((side) => Number(seconds[side]));
  const best = Math.min(Number(many), Number(one));
  const ours = found['permafrost'] ?? [];
  const fitOnly = median(ours.map((run) => run.secondsAfterGram ?? run.seconds));
  return {
    name: task.name,
    goal: task.goal,
    goalAfterGram: task.goalAfterGram ?? null,
    quality,
    seconds,
    processorSeconds,
    secondsAfterGram: fitOnly,
    timesFaster: best / Number(own),
    timesFasterThanDefaultThreads: Number(many) / Number(own),
    timesFasterAfterGram: best / fitOnly,
    rounds: found,
  };
}

/** @returns {never} */
function never() {
  throw new Error('unreachable');
}

/** @type {ReturnType<typeof measure>[]} */
const results = [];
try {
  for (const name of new Set(tasks.map(({ data }) => data))) {
    const [rows, columns, classes, signal] = DATA[name] ?? never();
    execFileSync(python, [here('make_data.py'), ...[rows, columns, classes].map(String), name, folder, String(signal)]);
    for (const task of tasks.filter(({ data }) => data === name)) results.push(measure(task));
  }
} finally {
  rmSync(folder, { recursive: true });
}

const report = {
  question: 'How fast are the heads against scikit-learn on the same arrays?',
  date: new Date().toISOString(),
  machine: {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    memoryGiB: totalmem() / 2 ** 30,
    system: `${process.platform} ${process.arch} ${release()}`,
    loadAverageAtEnd: loadavg(),
  },
  versions: {
    permafrost: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    ...Object.assign({}, ...Object.values(results[0]?.rounds ?? {}).map(([run]) => run?.versions)),
  },
  results,
};
mkdirSync(join(root, 'bench/results'), { recursive: true });
const file = join(root, `bench/results/classify-${report.date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);

const times = (/** @type {number} */ value, /** @type {number | null} */ goal) =>
  `${value.toFixed(1)} x${goal === null ? '' : ` (goal ${goal}: ${value >= goal ? 'reached' : 'missed'})`}`;
console.log(
  `${report.machine.cpu}, ${report.machine.cores} cores; median of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}`,
);
for (const result of results) {
  console.log(result.name);
  for (const [side, seconds] of Object.entries(result.seconds)) {
    console.log(`  ${side}: ${seconds.toFixed(3)} s, ${result.processorSeconds[side]?.toFixed(3)} s of processor time`);
  }
  console.log(`  faster than the faster of both: ${times(result.timesFaster, result.goal)}`);
  console.log(`  faster than default threads: ${times(result.timesFasterThanDefaultThreads, result.goal)}`);
  if (result.goalAfterGram !== null)
    console.log(`  after the Gram matrix: ${times(result.timesFasterAfterGram, result.goalAfterGram)}`);
}
console.log(file);
