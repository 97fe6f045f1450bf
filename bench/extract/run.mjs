// @ts-check
// How fast, and in how much memory, does extraction run against Keras on the same photographs, in the same run?
//   npm run build && node bench/extract/run.mjs DATASET [--rounds 3] [--keras-batch N]... [--engine NAME[:PRECISION]]...
// DATASET: a folder of class folders, or with train/ and val/. Writes bench/results/extract-<time>.json.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peerPython } from '../peer-environment.mjs';
import { summarise, summaryText } from './report.mjs';

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./variants.mjs').Measured} Measured
 * @typedef {import('./equality.mjs').Equality} Equality
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(join(root, 'dist/cli/main.js')))
  throw new Error('dist/ is missing. Run "npm run build" first.');
const { compareFeatures } = await import('./equality.mjs');
const { kerasVariant, permafrostVariant } = await import('./variants.mjs');
/** @type {typeof import('../../src/index.ts')} */
const { scanDataset } = await import(new URL('../../dist/index.js', import.meta.url).href);

/**
 * Lowest cosine to Keras' features, over all images, with which a variant is worth timing. fp32: the order of additions alone
 * differs. The others: a little below what was measured on 398 photographs (bf16 0.99987, int8 0.992).
 * @type {Readonly<Record<string, number>>}
 */
const LEAST_COSINE = { fp32: 0.9999, bf16: 0.999, int8: 0.98 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    // 32 is what flow_from_directory takes by itself; 8 is what permafrost takes: Keras needs half the memory with it.
    'keras-batch': { type: 'string', multiple: true, default: ['32', '8'] },
    engine: { type: 'string', multiple: true, default: ['onnxruntime'] },
  },
});
const rounds = Number(values.rounds);
const batches = values['keras-batch'].map(Number);
if (positionals[0] === undefined || !(rounds >= 1) || batches.some((n) => !(n >= 1))) {
  throw new Error(
    'Usage: node bench/extract/run.mjs DATASET [--rounds 3] [--keras-batch N]... [--engine NAME[:PRECISION]]...',
  );
}
const dataset = resolve(positionals[0]);
const { samples, hasSplits } = await scanDataset(dataset);
const folders = hasSplits ? [...new Set(samples.map(({ path }) => path.split('/')[0] ?? '.'))] : ['.'];

const python = peerPython('extract', 'Keras, TensorFlow: 1.5 GB');
const peers = batches.map((batch) => kerasVariant({ python, dataset, folders, batch }));
/** @type {Variant[]} */
const contenders = values.engine.map((wish) => {
  const [engine = '', precision = 'auto'] = wish.split(':');
  return permafrostVariant({
    python,
    dataset,
    name: `permafrost ${wish}, contract keras, float32 maps`,
    comparable: true,
    flags: ['--contract', 'keras', '--dtype', 'float32', '--engine', engine, '--precision', precision],
  });
});
contenders.push(
  permafrostVariant({ python, dataset, name: 'permafrost defaults', comparable: false, flags: [] }),
);

/** Throws where a variant that should equal Keras does not: it is not timed then. */
async function checkEquality() {
  /** @type {Record<string, Equality>} */
  const quality = {};
  const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-equality-'));
  try {
    const kerasFile = join(scratch, 'keras.safetensors');
    peers[0]?.run(kerasFile);
    for (const [i, variant] of contenders.filter(({ comparable }) => comparable).entries()) {
      const store = join(scratch, `${i}.permafrost`);
      const { facts } = variant.run(store);
      const found = await compareFeatures(store, kerasFile);
      const least = LEAST_COSINE[String(facts['precision'])] ?? LEAST_COSINE['fp32'];
      const line = `${variant.name}: cosine to Keras min ${found.minCosine.toFixed(6)}, mean ${found.meanCosine.toFixed(6)} over ${found.images} images`;
      if (!(found.minCosine >= Number(least)))
        throw new Error(`Not equal, so not timed. ${line}; least: ${least}.`);
      console.error(line);
      quality[variant.name] = found;
    }
    return quality;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

const quality = await checkEquality();
const variants = [...peers, ...contenders];
/** @type {Map<Variant, Measured[]>} */
const measured = new Map(variants.map((variant) => [variant, []]));
for (let round = 0; round < rounds; round++) {
  // The order alternates, so that a machine that warms up or slows down favours nobody.
  for (const variant of round % 2 === 0 ? variants : [...variants].reverse()) {
    const result = variant.run();
    measured.get(variant)?.push(result);
    console.error(
      `round ${round + 1}  ${variant.name}: ${(result.images / result.seconds).toFixed(1)} images/s, whole process ${result.wallSeconds.toFixed(1)} s, ${result.peakRssMiB.toFixed(0)} MiB`,
    );
  }
}

const summary = summarise(measured, quality);
const { version } = /** @type {{ version: string }} */ (
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
);
const report = {
  question: 'How fast, and in how much memory, does extraction run against Keras on the same photographs?',
  date: new Date().toISOString(),
  dataset: { path: dataset, images: samples.length },
  machine: {
    cpu: cpus()[0]?.model,
    cores: availableParallelism(),
    memoryGiB: totalmem() / 2 ** 30,
    system: `${process.platform} ${process.arch} ${release()}`,
    loadAverageAtEnd: loadavg(),
  },
  versions: { permafrost: version, node: process.version },
  variants: summary,
};
mkdirSync(join(root, 'bench/results'), { recursive: true });
const file = join(root, `bench/results/extract-${report.date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);

console.log(
  `${report.machine.cpu}, ${report.machine.cores} cores; ${samples.length} images; median of ${rounds} rounds; ratios to the best Keras in each figure`,
);
console.log(summaryText(summary));
console.log(file);
