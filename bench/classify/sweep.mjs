// @ts-check
// How fast is a sweep of 100 configurations times five folds on 3,000 x 512 against scikit-learn's GridSearchCV?
//   npm run build && node bench/classify/sweep.mjs [--rounds 1] [--no-peer]
// Both sides cross-validate the same heads on the same rows and folds; scores are compared before anything counts: the
// mean held-out accuracy of every configuration within 0.01. scikit-learn runs in two processes with one thread each
// and its transformers cached, its fastest setting on two cores. What is timed: here the command from its start to its
// end, reading the store and measuring the best included; there the fit alone, arrays in memory. Writes
// bench/results/sweep-<time>.json.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../median.mjs';
import { peerPython } from '../peer-environment.mjs';
import { storeOfArrays } from './store-of-arrays.mjs';
import { DATA } from './tasks.mjs';

/** @typedef {import('../../src/results/sweep-result.ts').SweepResult} SweepResult */

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = join(root, 'dist/cli/main.js');
if (!existsSync(main)) throw new Error('dist/ is missing. Run "npm run build" first.');
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1' }, 'no-peer': { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
if (!(rounds >= 1)) throw new Error('Usage: node bench/classify/sweep.mjs [--rounds 1] [--no-peer]');

const GRID = {
  pooling: ['avg'],
  normalize: ['l2', 'standard'],
  pca: [0, 64],
  heads: [
    { head: 'logistic', C: [0.01, 0.1, 1, 10, 100, 1000] },
    { head: 'linear-svm', C: [0.01, 0.1, 1, 10, 100] },
    { head: 'ridge', alpha: [0.01, 0.1, 1, 10, 100] },
    { head: 'knn', nNeighbors: [1, 3, 5, 9, 15] },
    { head: 'knn', nNeighbors: [3, 5, 9, 15], weights: ['distance'] },
  ],
};
const TOLERANCE = 0.01;

const python = peerPython('classify', 'scikit-learn: 0.3 GB');
const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'permafrost-bench-sweep-'));
const [rows, columns, classes, signal] = DATA['pooled'] ?? [];

/** @returns {{ seconds: number, result: SweepResult }} */
function ours() {
  rmSync(join(folder, 'store/sweeps'), { recursive: true, force: true });
  const started = performance.now();
  const out = execFileSync(
    process.execPath,
    [main, 'sweep', join(folder, 'store'), '--grid', join(folder, 'grid.json'), '--json', '--quiet'],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  return { seconds: (performance.now() - started) / 1000, result: JSON.parse(out) };
}

/**
 * @param {SweepResult} result
 * @returns {{ seconds: number, scores: number[], version: string }}
 */
function peer({ candidates }) {
  const asked = candidates.map(({ head, params, normalize, pca }) => ({ head, params, normalize, pca }));
  writeFileSync(join(folder, 'candidates.json'), JSON.stringify(asked));
  const env = { ...process.env, OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1' };
  return JSON.parse(execFileSync(python, [here('sweep_peer.py'), folder], { encoding: 'utf8', env }));
}

try {
  const numbers = [rows, columns, classes].map(String);
  execFileSync(python, [here('make_data.py'), ...numbers, 'pooled', folder, String(signal)]);
  await storeOfArrays(join(folder, 'store'), folder, 'pooled', Number(columns));
  writeFileSync(join(folder, 'grid.json'), JSON.stringify(GRID));

  /** @type {number[]} */
  const own = [];
  /** @type {number[]} */
  const theirs = [];
  /** @type {Record<string, number>} */
  const worst = {};
  let versions = '';
  /** @type {SweepResult | undefined} */
  let last;
  for (let round = 0; round < rounds; round++) {
    const { seconds, result } = ours();
    last = result;
    own.push(seconds);
    console.error(`round ${round + 1}  permafrost: ${seconds.toFixed(1)} s`);
    if (values['no-peer']) continue;
    const answer = peer(result);
    theirs.push(answer.seconds);
    versions = answer.version;
    console.error(`round ${round + 1}  GridSearchCV: ${answer.seconds.toFixed(1)} s`);
    for (const [i, { head, params, normalize, pca, scores }] of result.candidates.entries()) {
      const off = Math.abs(scores.accuracy.value - Number(answer.scores[i]));
      worst[head] = Math.max(worst[head] ?? 0, off);
      if (!(off <= TOLERANCE)) {
        throw new Error(
          `Not equal, so not timed: ${head} ${JSON.stringify(params)} on ${normalize}, pca ${pca}: ${scores.accuracy.value} here, ${answer.scores[i]} there.`,
        );
      }
    }
  }
  const report = {
    question: 'How fast is a sweep of 100 configurations times five folds on 3,000 x 512?',
    date: new Date().toISOString(),
    machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), loadAverageAtEnd: loadavg() },
    configurations: last?.candidates.length,
    notConvergedHere: last?.candidates.filter(({ converged }) => !converged).length,
    seconds: { permafrost: own, gridSearch: theirs },
    largestDifferenceOfScores: worst,
    scikitLearn: versions,
  };
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  const file = join(root, `bench/results/sweep-${report.date.replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  console.log(
    `${report.machine.cpu}, ${report.machine.cores} cores; ${report.configurations} configurations x 5 folds; median of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log(`  permafrost, the whole command: ${median(own).toFixed(1)} s`);
  if (theirs.length > 0) {
    console.log(
      `  scikit-learn ${versions}, GridSearchCV(n_jobs=2): ${median(theirs).toFixed(1)} s, ${(median(theirs) / median(own)).toFixed(1)} x`,
    );
    console.log(`  largest difference of a mean accuracy: ${JSON.stringify(worst)}`);
  }
  console.log(file);
} finally {
  rmSync(folder, { recursive: true });
}
