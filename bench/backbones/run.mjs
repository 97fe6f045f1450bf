// @ts-check
// What is each backbone worth, and how fast is it, beside Keras' networks and ONNX Runtime from Python on its graph?
//   npm run build && node bench/backbones/run.mjs DATASET [--variant BACKBONE:ENGINE:PRECISION]...
//     [--keras NETWORK|none]... [--rounds 3] [--keras-batch 32] [--docs]
// DATASET: a folder of class folders, or with train/ and val/. BACKBONE: a name, or an ONNX file. Every extraction is a
// process of its own, in alternating order. Features are compared with the peer's of the same network before anything
// is timed; ONNX Runtime from Python runs in the fastest of four settings. Writes bench/results/backbones-<time>.json;
// with --docs the table in docs/benchmarks.md too.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { peerPython } from '../peer-environment.mjs';

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./variants.mjs').Measured} Measured
 * @typedef {import('./report.mjs').Quality} Quality
 * @typedef {import('../image-features.mjs').Features} Features
 */

if (!existsSync(fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))))
  throw new Error('dist/ is missing. Run "npm run build" first.');
const { writeGraph } = await import('./graph-files.mjs');
const { cosines, headHits, peerFeatures, storeFeatures } = await import('../image-features.mjs');
const { summarise, summaryText, withTable } = await import('./report.mjs');
const { kerasVariant, onnxRuntimeVariant, permafrostVariant } = await import('./variants.mjs');
/** @type {typeof import('../../src/index.ts')} */
const { scanDataset } = await import(new URL('../../dist/index.js', import.meta.url).href);

/**
 * Lowest cosine to the peer's features, over all images, with which a variant is worth timing. Pixels are the same to
 * the byte; the order of additions differs.
 * @type {Readonly<Record<string, number>>}
 */
const LEAST_COSINE = { fp32: 0.99999, bf16: 0.99, int8: 0.97 };

const USAGE =
  'Usage: node bench/backbones/run.mjs DATASET [--variant BACKBONE:ENGINE:PRECISION]... [--keras NETWORK|none]... [--rounds 3] [--keras-batch 32] [--docs]';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    variant: {
      type: 'string',
      multiple: true,
      default: [
        'vgg16:onnxruntime-winograd:fp32',
        'vgg16:openvino:bf16',
        'efficientnet-lite0:onnxruntime:fp32',
        'efficientnet-lite0:openvino:fp32',
      ],
    },
    keras: { type: 'string', multiple: true, default: ['VGG16', 'EfficientNetB0'] },
    'keras-batch': { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    docs: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const requests = values.variant.map((text) => {
  const [, backbone, engine, precision] = /^(.+):([\w-]+):(fp32|bf16|int8)$/.exec(text) ?? [];
  if (backbone === undefined || engine === undefined || precision === undefined) throw new Error(USAGE);
  return { backbone: /\.onnx$/i.test(backbone) ? resolve(backbone) : backbone, engine, precision };
});
const networks = values.keras.filter((name) => name !== 'none');
// VGG16 is compared with Keras' features.
const lacksKeras = networks[0] !== 'VGG16' && requests.some(({ backbone }) => backbone === 'vgg16');
if (positionals[0] === undefined || !(rounds >= 1) || lacksKeras) throw new Error(USAGE);
const dataset = resolve(positionals[0]);
const { samples, hasSplits } = await scanDataset(dataset);
const folders = hasSplits ? [...new Set(samples.map(({ path }) => path.split('/')[0] ?? '.'))] : ['.'];

const python = peerPython('backbones', 'Keras, TensorFlow, ONNX Runtime: 1.8 GB');
const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-backbones-'));
const at = (/** @type {string} */ name) => join(scratch, name);
const setting = { python, dataset, folders };

/** A flag with the names of files alone: no path of this machine stands in a page. @param {string} flag */
const withoutFolders = (flag) => (flag.includes('/') ? basename(flag) : flag);

/** Runs each of the settings once and takes the fastest. @param {string} backbone @param {string} name of its files */
async function fastestPeer(backbone, name) {
  const files = { model: at(`${name}.onnx`), contract: at(`${name}.json`) };
  await writeGraph(backbone, files);
  const cores = availableParallelism();
  const settings = [1, cores].flatMap((sessions) => [8, 32].map((batch) => ({ sessions, batch })));
  const tried = settings.map((how) => {
    const variant = onnxRuntimeVariant(setting, backbone, files, how);
    const { images, seconds } = variant.run(at(`${name}.safetensors`));
    console.error(`${variant.name}: ${(images / seconds).toFixed(1)} images/s`);
    return { variant, rate: images / seconds };
  });
  return tried.reduce((a, b) => (b.rate > a.rate ? b : a)).variant;
}

/** The variants, and how good the features of each are. */
async function prepare() {
  /** @type {Map<string, Features>} */
  const peers = new Map();
  /** @type {Variant[]} */
  const contenders = [];
  for (const network of networks) {
    const variant = kerasVariant(setting, network, values['keras-batch']);
    contenders.push(variant);
    if (!variant.hasWeights) continue;
    variant.run(at('keras.safetensors'));
    peers.set('vgg16', peerFeatures(at('keras.safetensors')));
  }
  for (const backbone of new Set(requests.map((request) => request.backbone).filter((name) => name !== 'vgg16'))) {
    const name = `graph-${peers.size}`;
    contenders.push(await fastestPeer(backbone, name));
    peers.set(backbone, peerFeatures(at(`${name}.safetensors`)));
  }
  /** @type {Map<Variant, Quality>} */
  const quality = new Map();
  /** @type {import('../image-features.mjs').Places | undefined} */
  let places;
  for (const [i, request] of requests.entries()) {
    const variant = permafrostVariant(setting, request);
    const store = at(`${i}.permafrost`);
    const { facts } = variant.run(store);
    // VGG16 is stored in three poolings, a graph in the one that its peer gives too.
    const stored = await storeFeatures(store, /\bcls\b/.test(String(facts['cut'])) ? 'cls' : 'avg');
    places ??= stored.places;
    const cosine = cosines(stored.features, /** @type {Features} */ (peers.get(request.backbone)));
    const { hits, validated } = await headHits(stored.features, stored.places);
    const line = `${variant.name}: cosine to the peer min ${cosine.least.toFixed(6)}, mean ${cosine.mean.toFixed(6)}; head right on ${hits} of ${validated}`;
    if (!(cosine.least >= Number(LEAST_COSINE[request.precision]))) throw new Error(`Not equal, so not timed. ${line}`);
    console.error(line);
    contenders.push(variant);
    quality.set(variant, { cosine, hits, validated });
  }
  for (const variant of contenders.filter(({ side, hasWeights }) => side !== 'permafrost' && hasWeights)) {
    const features = /** @type {Features} */ (peers.get(variant.backbone));
    if (places !== undefined) quality.set(variant, { cosine: null, ...(await headHits(features, places)) });
  }
  return { contenders, quality };
}

/**
 * @param {readonly Variant[]} variants
 * @returns {ReadonlyMap<Variant, Measured[]>}
 */
function timed(variants) {
  /** @type {Map<Variant, Measured[]>} */
  const measured = new Map(variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    // The order alternates, so that a machine that warms up or slows down favours nobody.
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const run = variant.run();
      measured.get(variant)?.push(run);
      console.error(
        `round ${round + 1}  ${variant.name}: ${(run.images / run.seconds).toFixed(1)} images/s, ${((1000 * run.cpuSeconds) / run.images).toFixed(1)} ms of CPU an image, whole process ${run.wallSeconds.toFixed(1)} s, ${run.peakRssMiB.toFixed(0)} MiB`,
      );
    }
  }
  return measured;
}

try {
  const { contenders, quality } = await prepare();
  const summary = summarise(timed(contenders), quality);
  const file = writeReport('backbones', {
    question: "What is each backbone worth, and how fast is it beside Keras' networks and ONNX Runtime from Python?",
    dataset: { path: dataset, images: samples.length },
    variants: summary,
  });
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}; ${samples.length} images; median of ${rounds} rounds, peak memory the largest`;
  console.log(machine);
  console.log(summaryText(summary));
  console.log(file);
  if (values.docs) {
    const page = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url));
    const flags = process.argv.slice(2).filter((flag) => flag !== '--docs' && flag !== positionals[0]);
    const command = ['node bench/backbones/run.mjs DATASET', ...flags.map(withoutFolders)].join(' ');
    writeFileSync(page, withTable(readFileSync(page, 'utf8'), { summary, machine, command }));
    console.log(page);
  }
} finally {
  rmSync(scratch, { recursive: true });
}
