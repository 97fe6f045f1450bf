// @ts-check
// How fast, and in how much memory, does extraction run against Keras and OpenVINO from Python on the same photographs,
// in one run?
//   npm run build && node bench/extract/run.mjs DATASET [--rounds 3] [--keras-batch N]... [--engine NAME:PRECISION]...
//     [--python fp32|bf16|int8]... [--alone-images 64] [--alone-seconds 5]
// DATASET: a folder of class folders, or with train/ and val/. Every extraction and every inference alone is a process
// of its own, in alternating order. Features are compared with Keras' before anything is timed. Writes
// bench/results/extract-<time>.json.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { peerPython } from '../peer-environment.mjs';

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./quality.mjs').Quality} Quality
 * @typedef {import('./report.mjs').Rounds} Rounds
 */

if (!existsSync(fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))))
  throw new Error('dist/ is missing. Run "npm run build" first.');
const { calibrationIn, writeModel, writePixels } = await import('./materials.mjs');
const { peerFeatures, storeFeatures } = await import('../image-features.mjs');
const { judge } = await import('./quality.mjs');
const { summarise, summaryText } = await import('./report.mjs');
const { engineVariant, kerasVariant, openVinoVariant, permafrostVariant } = await import('./variants.mjs');
/** @type {typeof import('../../src/index.ts')} */
const { CONTRACTS, scanDataset } = await import(new URL('../../dist/index.js', import.meta.url).href);

/**
 * Lowest cosine to Keras' features, over all images, with which a variant is worth timing. fp32: the order of additions
 * alone differs. The others: a little below what was measured on 398 photographs (bf16 0.99987, int8 0.992).
 * @type {Readonly<Record<string, number>>}
 */
const LEAST_COSINE = { fp32: 0.9999, bf16: 0.999, int8: 0.98 };

const USAGE =
  'Usage: node bench/extract/run.mjs DATASET [--rounds 3] [--keras-batch N]... [--engine NAME:PRECISION]... [--python PRECISION]... [--alone-images 64] [--alone-seconds 5]';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    // 32 is what flow_from_directory takes by itself; 8 is what permafrost takes: Keras needs half the memory with it.
    'keras-batch': { type: 'string', multiple: true, default: ['32', '8'] },
    engine: {
      type: 'string',
      multiple: true,
      default: ['openvino:bf16', 'openvino:int8', 'onnxruntime:fp32', 'onnxruntime:int8', 'onnxruntime-winograd:fp32'],
    },
    python: { type: 'string', multiple: true, default: ['bf16', 'int8'] },
    'alone-images': { type: 'string', default: '64' },
    'alone-seconds': { type: 'string', default: '5' },
  },
});
const rounds = Number(values.rounds);
const batches = values['keras-batch'].map(Number);
const aloneImages = Number(values['alone-images']);
const aloneSeconds = Number(values['alone-seconds']);
if (
  positionals[0] === undefined ||
  [rounds, aloneImages, ...batches].some((n) => !(n >= 1)) ||
  !(aloneSeconds > 0) ||
  values.engine.some((request) => !/^[\w-]+:(fp32|bf16|int8)$/.test(request)) ||
  values.python.some((precision) => !Object.hasOwn(LEAST_COSINE, precision))
) {
  throw new Error(USAGE);
}
const requests = values.engine.map((request) => {
  const [engine = '', precision = ''] = request.split(':');
  return { engine, precision };
});
const dataset = resolve(positionals[0]);
const { samples, hasSplits } = await scanDataset(dataset);
const folders = hasSplits ? [...new Set(samples.map(({ path }) => path.split('/')[0] ?? '.'))] : ['.'];

const python = peerPython('extract', 'Keras, TensorFlow, OpenVINO: 1.8 GB');
const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-extract-'));
const at = (/** @type {string} */ name) => join(scratch, name);
const setting = { python, dataset, folders, pixels: at('pixels'), seconds: aloneSeconds };

/**
 * Runs a variant once, keeps its features, and throws where they are not Keras': then it is not timed.
 * @param {Variant} variant
 * @param {string} keep
 * @param {import('./quality.mjs').Features} keras
 * @param {import('./quality.mjs').Places} places
 */
async function qualityOf(variant, keep, keras, places) {
  if (!existsSync(keep)) variant.run(keep);
  const features = variant.side === 'permafrost' ? (await storeFeatures(keep, 'flatten')).features : peerFeatures(keep);
  const found = await judge(features, keras, places);
  const line = `${variant.name}: cosine to Keras min ${found.minCosine.toFixed(6)}, mean ${found.meanCosine.toFixed(6)} over ${found.images} images; head right on ${found.hits} of ${found.validated}`;
  const least = Number(LEAST_COSINE[variant.precision]);
  if (!(found.minCosine >= least)) throw new Error(`Not equal, so not timed. ${line}; least: ${least}.`);
  console.error(line);
  return found;
}

/** The variants, and how good the features of each are. */
async function prepare() {
  const drawn = samples.filter((_, i) => i % Math.ceil(samples.length / aloneImages) === 0);
  await writePixels(
    setting.pixels,
    dataset,
    drawn.map(({ path }) => path),
  );
  const kerasPeers = batches.map((batch) => kerasVariant(setting, batch));
  const int8 = requests.find(({ precision }) => precision === 'int8') ?? {
    engine: 'onnxruntime',
    precision: 'int8',
  };
  const int8Store = at(`${int8.engine}-int8.permafrost`);
  const needsInt8 = [...requests.map(({ precision }) => precision), ...values.python].includes('int8');
  if (needsInt8) engineVariant(setting, int8).run(int8Store);
  const contenders = requests.map((request) => ({
    variant: engineVariant(setting, request, int8Store),
    keep: at(`${request.engine}-${request.precision}.permafrost`),
  }));
  for (const precision of values.python) {
    const model = at(precision === 'int8' ? 'int8.onnx' : 'float.onnx');
    if (!existsSync(model)) await writeModel(model, precision === 'int8' ? await calibrationIn(int8Store) : undefined);
    const variant = openVinoVariant(setting, /** @type {'fp32' | 'bf16' | 'int8'} */ (precision), model);
    contenders.push({ variant, keep: at(`python-${precision}.safetensors`) });
  }
  kerasPeers[0]?.run(at('keras.safetensors'));
  const keras = peerFeatures(at('keras.safetensors'));
  if (contenders[0]?.variant.side !== 'permafrost') throw new Error(`Name at least one --engine. ${USAGE}`);
  contenders[0].variant.run(contenders[0].keep);
  const { places } = await storeFeatures(contenders[0].keep, 'flatten');
  /** @type {Map<Variant, Quality>} */
  const quality = new Map();
  for (const variant of kerasPeers) quality.set(variant, await judge(keras, keras, places));
  for (const { variant, keep } of contenders) quality.set(variant, await qualityOf(variant, keep, keras, places));
  const defaults = permafrostVariant(setting, {
    name: 'permafrost defaults',
    precision: 'auto',
    comparable: false,
    flags: ['--contract', CONTRACTS.vgg16.name],
    alone: null,
  });
  return { variants: [...kerasPeers, ...contenders.map(({ variant }) => variant), defaults], quality };
}

/**
 * @param {readonly Variant[]} variants
 * @returns {ReadonlyMap<Variant, Rounds>}
 */
function timed(variants) {
  /** @type {Map<Variant, Rounds>} */
  const measured = new Map(variants.map((variant) => [variant, { runs: [], alone: [] }]));
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that a machine that warms up or slows down favours nobody.
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const result = variant.run();
      measured.get(variant)?.runs.push(result);
      const alone = variant.alone?.();
      if (alone !== undefined) measured.get(variant)?.alone.push(alone);
      const inference = alone === undefined ? '' : `, inference alone ${(alone.images / alone.seconds).toFixed(1)}`;
      console.error(
        `round ${round + 1}  ${variant.name}: ${(result.images / result.seconds).toFixed(1)} images/s${inference}, whole process ${result.wallSeconds.toFixed(1)} s, ${result.peakRssMiB.toFixed(0)} MiB`,
      );
    }
  }
  return measured;
}

try {
  const { variants, quality } = await prepare();
  const summary = summarise(timed(variants), quality);
  const file = writeReport('extract', {
    question: 'How fast, and in how much memory, does extraction run against Keras and OpenVINO from Python?',
    dataset: { path: dataset, images: samples.length },
    variants: summary,
  });
  console.log(
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; ${samples.length} images; median of ${rounds} rounds, peak memory the largest`,
  );
  console.log(summaryText(summary));
  console.log(file);
} finally {
  rmSync(scratch, { recursive: true });
}
