// @ts-check
// How long does the experiment of the 2020 report take in Keras, and how long to answer it, and each further head,
// here?
//   npm run build && node bench/report-2020/run.mjs DATASET [--rounds 1] [--epochs 5] [--preprocessing rescale|caffe]
//     [--engine auto]
// DATASET has train/ and val/. Keras: frozen VGG16, Flatten, Dense softmax, epochs with shear, zoom and flip
// (keras_recipe.py). permafrost:
// the whole process of `permafrost run` into a store that is not there yet (all heads, with the report page and
// without), then the whole process of `permafrost train` on that store for each of a few heads. Orders alternate.
// Writes bench/results/report-2020-<time>.json.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { lastLine, measure } from '../measure.mjs';
import { median } from '../median.mjs';
import { peerPython } from '../peer-environment.mjs';

/**
 * @typedef {import('../../src/results/head-result.ts').RunResult} RunResult
 * @typedef {import('../../src/results/head-result.ts').HeadResult} HeadResult
 * @typedef {import('../measure.mjs').Usage} Usage
 * @typedef {Usage & { seconds: number, accuracy: number[], images: number[], versions: Record<string, string> }}
 *   KerasRun
 * @typedef {Usage & { result: RunResult }} OwnRun
 * @typedef {Usage & { head: HeadResult }} FurtherHead
 */

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const MAIN = here('../../dist/cli/main.js');
if (!existsSync(MAIN)) throw new Error('dist/ is missing. Run "npm run build" first.');
/** @type {typeof import('../../src/index.ts')} */
const { scanDataset } = await import(new URL('../../dist/index.js', import.meta.url).href);

const USAGE =
  'Usage: node bench/report-2020/run.mjs DATASET [--rounds 1] [--epochs 5] [--preprocessing rescale|caffe] [--engine auto]';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '1' },
    epochs: { type: 'string', default: '5' },
    preprocessing: { type: 'string', default: 'rescale' },
    engine: { type: 'string', default: 'auto' },
  },
});
const rounds = Number(values.rounds);
if (
  positionals[0] === undefined ||
  !(rounds >= 1) ||
  !(Number(values.epochs) >= 1) ||
  !['rescale', 'caffe'].includes(values.preprocessing)
) {
  throw new Error(USAGE);
}
const dataset = resolve(positionals[0]);
const { samples } = await scanDataset(dataset);
/** @param {string} split */
function splitFolder(split) {
  const sample = samples.find((one) => one.split === split);
  if (sample === undefined) throw new Error(`${dataset} has no ${split} images. ${USAGE}`);
  return join(dataset, String(sample.path.split('/')[0]));
}
const [trainFolder, valFolder] = [splitFolder('train'), splitFolder('val')];

const python = peerPython('extract', 'Keras, TensorFlow, OpenVINO: 1.8 GB');
const WEIGHTS = here('../../data/weights/vgg16-imagenet.safetensors.index.json');

/** @returns {KerasRun} */
function keras() {
  const command = [python, here('keras_recipe.py'), trainFolder, valFolder, '--weights', WEIGHTS];
  command.push('--epochs', values.epochs, '--preprocessing', values.preprocessing);
  const { usage, stdout } = measure(python, command);
  return { ...lastLine(stdout), ...usage };
}

/**
 * @param {string} store
 * @param {string[]} flags
 * @returns {OwnRun}
 */
function own(store, flags) {
  const command = [process.execPath, MAIN, 'run', dataset, '--store', store, '--engine', values.engine];
  const { usage, stdout } = measure(python, [...command, '--json', ...flags]);
  return { ...usage, result: JSON.parse(stdout) };
}

/** Further heads, as a user asks for one more: the report's own kind, and what shallow learning offers beside it. */
const FURTHER = [
  ['softmax', '--pooling', 'flatten', '--normalize', 'none', '--learning-rate', '0.0005'],
  ['logistic', '--pooling', 'flatten', '--C', '100'],
  ['logistic', '--pooling', 'avg', '--C', '3'],
  ['knn', '--pooling', 'avg', '--n-neighbors', '9'],
];

/**
 * @param {string} store
 * @param {string[]} head
 * @returns {FurtherHead}
 */
function further(store, head) {
  const command = [process.execPath, MAIN, 'train', store, '--json', '--head', ...head];
  const { usage, stdout } = measure(python, command);
  return { ...usage, head: JSON.parse(stdout) };
}

/** @type {KerasRun[]} */
const kerasRuns = [];
/** @type {Record<'withPage' | 'withoutPage', OwnRun[]>} */
const ownRuns = { withPage: [], withoutPage: [] };
/** @type {FurtherHead[][]} */
const furtherHeads = FURTHER.map(() => []);
const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-report-2020-'));

/** @param {number} round */
function ownRound(round) {
  const store = join(scratch, `${round}.permafrost`);
  ownRuns.withPage.push(own(store, []));
  ownRuns.withoutPage.push(own(join(scratch, `${round}-without.permafrost`), ['--no-report']));
  for (const [i, head] of FURTHER.entries()) furtherHeads[i]?.push(further(store, head));
  console.error(`round ${round + 1}  permafrost run: ${ownRuns.withPage.at(-1)?.wallSeconds.toFixed(1)} s`);
}

try {
  for (let round = 0; round < rounds; round++) {
    const sides = [() => void kerasRuns.push(keras()), () => ownRound(round)];
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) side();
    console.error(`round ${round + 1}  Keras: ${kerasRuns.at(-1)?.seconds.toFixed(1)} s`);
  }
} finally {
  rmSync(scratch, { recursive: true });
}

const kerasSeconds = median(kerasRuns.map(({ seconds }) => seconds));
const wall = (/** @type {Usage[]} */ runs) => median(runs.map(({ wallSeconds }) => wallSeconds));
const processSeconds = {
  keras: wall(kerasRuns),
  run: wall(ownRuns.withPage),
  runWithoutPage: wall(ownRuns.withoutPage),
};
const heads = (ownRuns.withPage[0]?.result.heads ?? []).map(({ name, pooling, accuracy, fitMs, predictMs }) => ({
  name,
  pooling,
  accuracy,
  seconds: (fitMs + predictMs) / 1000,
}));
const furtherSummary = FURTHER.map((flags, i) => {
  const runs = furtherHeads[i] ?? [];
  return {
    head: flags.join(' '),
    accuracy: runs[0]?.head.accuracy,
    processSeconds: wall(runs),
    seconds: median(runs.map(({ head }) => (head.fitMs + head.predictMs) / 1000)),
  };
});
const file = writeReport('report-2020', {
  question: "How long does the 2020 report's experiment take in Keras, and how long to answer it here?",
  dataset: { path: dataset, images: samples.length },
  options: values,
  // All times in seconds. Keras: fit alone beside the whole process; permafrost: whole processes.
  kerasSeconds,
  processSeconds,
  timesFaster: {
    run: kerasSeconds / processSeconds.run,
    runWithoutPage: kerasSeconds / processSeconds.runWithoutPage,
  },
  heads,
  further: furtherSummary,
  engine: ownRuns.withPage[0]?.result.engine,
  rounds: { keras: kerasRuns, ...ownRuns, further: furtherHeads },
});

const times = (/** @type {number} */ seconds) =>
  `${(kerasSeconds / seconds).toFixed(kerasSeconds / seconds < 100 ? 1 : 0)} x`;
const accuracy = (/** @type {number | undefined} */ value) => `accuracy ${value?.toFixed(3)}`;
const engine = ownRuns.withPage[0]?.result.engine;
console.log(
  `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; ${samples.length} images; median of ${rounds}; x: times faster than Keras' fit`,
);
console.log(
  `Keras, ${values.epochs} epochs: fit ${kerasSeconds.toFixed(1)} s, whole process ${processSeconds.keras.toFixed(1)} s, accuracy ${kerasRuns[0]?.accuracy.map((a) => a.toFixed(3)).join(' ')}`,
);
console.log(
  `permafrost run (${engine?.name} ${engine?.precision}), ${heads.length} heads, whole process: ${processSeconds.run.toFixed(1)} s (${times(processSeconds.run)}); without the report page ${processSeconds.runWithoutPage.toFixed(1)} s (${times(processSeconds.runWithoutPage)}); best head: ${heads[0]?.name} on ${heads[0]?.pooling}, ${accuracy(heads[0]?.accuracy)}`,
);
console.log('Heads of that run, fit and prediction on features in memory:');
for (const head of heads)
  console.log(
    `  ${head.name} ${head.pooling}: ${(1000 * head.seconds).toFixed(1)} ms (${times(head.seconds)}), ${accuracy(head.accuracy)}`,
  );
console.log('A further head from the store, permafrost train, whole process (of it fit and prediction):');
for (const head of furtherSummary)
  console.log(
    `  ${head.head}: ${head.processSeconds.toFixed(2)} s (${times(head.processSeconds)}), of it ${(1000 * head.seconds).toFixed(1)} ms (${times(head.seconds)}), ${accuracy(head.accuracy)}`,
  );
console.log(file);
