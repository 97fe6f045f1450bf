// @ts-check
// Do the 2020 report's words of advice hold: which of its four strategies is best for how many images of which domain?
//   npm run build && node bench/strategies/run.mjs DATASET... [--images 10,50,200,all] [--minutes 30] [--seeds 1]
//     [--no-keras] [--engine auto]
// A DATASET has train/ and val/, or is the word emoji: the data set that comes with permafrost. Of each, so many
// training images a class are drawn by a seed; the validated images stay the same. Each cell is one whole process of
// `permafrost run --strategies` on a store of its own; beside it Keras with the same pixels, the same frozen head and
// the same recipe for block5 at rate 1e-4 (keras_strategies.py). Prints a line a trial; writes
// bench/results/strategies-<time>.json.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { lastLine, measure } from '../measure.mjs';
import { peerPython } from '../peer-environment.mjs';

/**
 * @typedef {import('../../src/index.ts').Sample} Sample
 * @typedef {import('../../src/results/head-result.ts').RunResult} RunResult
 * @typedef {import('../../src/results/strategies-result.ts').StrategiesResult} StrategiesResult
 * @typedef {{ accuracy: number, logLoss: number }} Score
 * @typedef {{ frozen: Score, tuned: Score, curve: Score[], seconds: Record<string, number>, peakMiB: number }}
 *   KerasCell
 */

const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const MAIN = here('../../dist/cli/main.js');
if (!existsSync(MAIN)) throw new Error('dist/ is missing. Run "npm run build" first.');
const dist = (/** @type {string} */ file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
/** @type {typeof import('../../src/index.ts')} */
const { scanDataset } = await dist('index.js');
/** @type {typeof import('../../src/extract/contract.ts')} */
const { CONTRACTS } = await dist('extract/contract.js');
/** @type {typeof import('../../src/extract/image/open-image.ts')} */
const { squareOf } = await dist('extract/image/open-image.js');
/** @type {typeof import('../../src/core/random.ts')} */
const { random } = await dist('core/random.js');
/** @type {typeof import('../../src/workflows/network/bundled-dataset.ts')} */
const { renderBundledDataset } = await dist('workflows/network/bundled-dataset.js');

const USAGE =
  'Usage: node bench/strategies/run.mjs DATASET... [--images 10,50,200,all] [--minutes 30] [--seeds 1] [--no-keras] [--engine auto]';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    images: { type: 'string', default: '10,50,200,all' },
    minutes: { type: 'string', default: '30' },
    seeds: { type: 'string', default: '1' },
    keras: { type: 'boolean', default: true },
    engine: { type: 'string', default: 'auto' },
  },
});
if (positionals.length === 0 || !(Number(values.minutes) > 0) || !(Number(values.seeds) >= 1)) throw new Error(USAGE);
const sizes = values.images.split(',').map((word) => (word === 'all' ? Infinity : Number(word)));
if (sizes.some((size) => !(size >= 2))) throw new Error(USAGE);
const python = values.keras ? peerPython('extract', 'Keras, TensorFlow, OpenVINO: 1.8 GB') : undefined;
const WEIGHTS = here('../../data/weights/vgg16-imagenet.safetensors.index.json');
const work = mkdtempSync(join(tmpdir(), 'permafrost-strategies-'));

/**
 * Training images drawn by a seed, so many a class, and all validated ones.
 * @param {readonly Sample[]} samples
 * @param {number} most
 * @param {number} seed
 */
function drawn(samples, most, seed) {
  const source = random(seed);
  const train = samples.filter(({ split }) => split === 'train');
  const labels = [...new Set(train.map(({ label }) => label))].sort();
  const some = labels.flatMap((label) => source.shuffle(train.filter((one) => one.label === label)).slice(0, most));
  return [...some, ...samples.filter(({ split }) => split === 'val')];
}

/**
 * A list of the samples, which permafrost takes as a data set: the images lie behind a link beside it.
 * @param {string} root
 * @param {readonly Sample[]} samples
 */
function listOf(root, samples) {
  const folder = join(work, 'list');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  symlinkSync(root, join(folder, 'images'), 'dir');
  const quoted = (/** @type {string} */ text) => `"${text.replaceAll('"', '""')}"`;
  const lines = samples.map(({ path, label, split }) => [`images/${path}`, label, split].map(quoted).join(','));
  const file = join(folder, 'list.csv');
  writeFileSync(file, ['path,label,split', ...lines, ''].join('\n'));
  return file;
}

/**
 * numpy's file format, version 1.0.
 * @param {string} path
 * @param {'|u1' | '<i4'} type
 * @param {readonly number[]} shape
 * @param {Uint8Array} bytes
 */
function writeNpy(path, type, shape, bytes) {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = Buffer.alloc(Math.ceil((10 + text.length + 1) / 64) * 64 - 10, ' ');
  header.write(text);
  header.write('\n', header.length - 1);
  const size = Buffer.alloc(2);
  size.writeUInt16LE(header.length);
  writeFileSync(path, Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), size, header, bytes]));
}

/**
 * The pixels that permafrost reads, for Keras.
 * @param {string} root
 * @param {readonly Sample[]} samples
 */
async function writePixels(root, samples) {
  const folder = join(work, 'pixels');
  mkdirSync(folder, { recursive: true });
  const labels = [...new Set(samples.filter(({ split }) => split === 'train').map(({ label }) => label))].sort();
  const bytes = CONTRACTS.vgg16.size ** 2 * 3;
  for (const split of ['train', 'val']) {
    const some = samples.filter((sample) => sample.split === split && labels.includes(sample.label));
    const pixels = new Uint8Array(some.length * bytes);
    for (const [i, { path }] of some.entries())
      pixels.set(await squareOf(readFileSync(join(root, path)), CONTRACTS.vgg16, {}), i * bytes);
    const truth = Int32Array.from(some, ({ label }) => labels.indexOf(label));
    writeNpy(join(folder, `${split}.npy`), '|u1', [some.length, 224, 224, 3], pixels);
    writeNpy(join(folder, `${split}-labels.npy`), '<i4', [some.length], new Uint8Array(truth.buffer));
  }
  return folder;
}

/** @param {string} name */
async function rootOf(name) {
  if (name !== 'emoji') return resolve(name);
  return (await renderBundledDataset(join(work, 'emoji'), {})).root;
}

/** @type {object[]} */
const cells = [];
try {
  for (const name of positionals) {
    const root = await rootOf(name);
    const { samples } = await scanDataset(root);
    for (const size of sizes) {
      for (let seed = 1; seed <= Number(values.seeds); seed++) {
        const some = drawn(samples, size, seed);
        const list = listOf(root, some);
        const store = join(work, 'cell.permafrost');
        const command = ['run', list, '--strategies', '--strategies-minutes', values.minutes, '--store', store];
        command.push('--engine', values.engine, '--json', '--quiet');
        const stdout = execFileSync(process.execPath, [MAIN, ...command], { encoding: 'utf8', maxBuffer: 2 ** 28 });
        const result = /** @type {RunResult} */ (JSON.parse(stdout));
        const strategies = /** @type {StrategiesResult} */ (result.strategies);
        /** @type {KerasCell | undefined} */
        let keras;
        if (python !== undefined) {
          const pixels = await writePixels(root, some);
          const penalty = String(strategies.trials[0]?.chosen.C ?? 10);
          const script = [python, here('keras_strategies.py'), pixels, '--weights', WEIGHTS, '--penalty', penalty];
          keras = lastLine(measure(python, script).stdout);
        }
        const images = size === Infinity ? 'all' : size;
        cells.push({ dataset: basename(name), images, seed, seconds: result.seconds, strategies, keras });
        console.log(`${basename(name)}, ${images} a class, seed ${seed}: ${strategies.trained} trained`);
        for (const { strategy, name: what, accuracy, logLoss, seconds, kept, comparison } of strategies.trials)
          console.log(
            `  ${strategy} (${what}): ${accuracy.toFixed(4)}, log loss ${logLoss.toFixed(4)}, ${seconds.toFixed(1)} s${kept === 'frozen' ? ', frozen head kept' : ''}${comparison ? `, p ${comparison.pValue.toFixed(4)}` : ''}`,
          );
        const { size: is, domain, advised, measured, take } = strategies.advice;
        console.log(`  advice: ${is}, ${domain}: ${advised} (${measured}), take ${take}`);
        if (keras)
          console.log(
            `  Keras: frozen ${keras.frozen.accuracy.toFixed(4)} / ${keras.frozen.logLoss.toFixed(4)}, block5 ${keras.tuned.accuracy.toFixed(4)} / ${keras.tuned.logLoss.toFixed(4)}, seconds ${JSON.stringify(keras.seconds)}`,
          );
        rmSync(store, { recursive: true, force: true });
      }
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
const file = writeReport('strategies', { options: values, cores: availableParallelism(), cells });
console.log(file);
