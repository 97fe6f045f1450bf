// @ts-check
// Do N workers of a plan, each on a core of its own, extract N times what one does?
//   npm run build && node bench/machines/run.mjs DATASET [--workers 2] [--images 60] [--rounds 5] [--engine NAME:PRECISION]...
//     [--queue]
// DATASET: a folder of class folders with at least --workers times --images images. Each worker extracts --images of
// them, pinned to its core by `taskset`, with one thread. Measured for each engine, in alternating order, each process
// fresh and each store new:
//   one extract      `extract` of one worker's images on core 0
//   N extracts       as many at once that know nothing of each other: what the machine can do at all
//   one part         a plan with one part
//   N parts          a plan of all images, `extract --part k/N` on core k - 1
//   one worker, N workers   the same through a queue on Redis, with --queue (needs redis-server)
// Images a second twice: of the whole processes (start, loading, the probe of a part, exit), and of extraction alone as
// the program tells it. Processor time an image is of the whole processes, and does not see what else the machine does.
// Before anything is timed, the merged parts are compared with one extraction, byte by byte. Writes
// bench/results/machines-<time>.json.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { dist } from '../store/dist.mjs';
import { permafrost } from './processes.mjs';
import { startRedis } from './redis.mjs';
import { sameFiles } from './same-files.mjs';

/** @typedef {{ images: number, seconds: number }} Extracted what a process extracted, and how long that alone took */
/** @typedef {import('./processes.mjs').Ended} Ended */
/** @typedef {{ perSecond: number, alonePerSecond: number, cpuMs: number, peakMiB: number }} Figures */

const USAGE =
  'Usage: node bench/machines/run.mjs DATASET [--workers 2] [--images 60] [--rounds 5] [--engine NAME:PRECISION]... [--queue]';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '2' },
    images: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    engine: { type: 'string', multiple: true, default: ['onnxruntime:fp32', 'openvino:bf16'] },
    queue: { type: 'boolean', default: false },
  },
});
const [workers, images, rounds] = [Number(values.workers), Number(values.images), Number(values.rounds)];
if (positionals[0] === undefined || ![workers, images, rounds].every((n) => n >= 1)) throw new Error(USAGE);
/** Rows of block5_pool that fill a shard of 1 MiB, which is a unit. */
const UNIT = 20;
if (images % UNIT !== 0) throw new Error(`--images must be a multiple of ${UNIT}, so that all parts are of one size.`);

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-machines-'));
const at = (/** @type {string} */ name) => join(scratch, name);
let made = 0;
/** A folder that is not there yet. */
const fresh = () => at(`store-${made++}.permafrost`);

/** A data set of links to `count` images of the given one, from the `from`-th on. */
async function someOf(/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ count) {
  const { scanDataset } = await dist('extract/dataset/dataset.js');
  const dataset = await scanDataset(resolve(String(positionals[0])));
  const paths = dataset.samples.map((/** @type {{ path: string }} */ { path }) => path);
  if (paths.length < workers * images) throw new Error(`${paths.length} images, needed ${workers * images}`);
  // Spread over the classes, whatever their order; two classes to stand in.
  const step = paths.length / (workers * images);
  for (let i = from; i < from + count; i++) {
    const path = paths[Math.floor(i * step)];
    const link = join(at(name), `class-${i % 2}`, `${String(i).padStart(5, '0')}${extname(path)}`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(dataset.root, path), link);
  }
  return at(name);
}

/** What the units of a store's one plan say of themselves. */
function unitsOf(/** @type {string} */ store) {
  const [run = ''] = readdirSync(join(store, 'parts'));
  const folder = join(store, 'parts', run);
  return readdirSync(folder)
    .filter((name) => /^u-\d+$/.test(name))
    .map((name) => ({ k: Number(name.slice(2)), .../** @type {Extracted} */ (read(join(folder, name, 'unit.json'))) }));
}

const read = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));

/** @param {readonly Ended[]} ended @param {readonly Extracted[]} extracted a process each */
function figures(ended, extracted) {
  const total = extracted.reduce((sum, one) => sum + one.images, 0);
  return {
    perSecond: total / Math.max(...ended.map(({ wallSeconds }) => wallSeconds)),
    alonePerSecond: extracted.reduce((sum, one) => sum + one.images / one.seconds, 0),
    cpuMs: (1000 * ended.reduce((sum, one) => sum + one.cpuSeconds, 0)) / total,
    peakMiB: Math.max(...ended.map(({ peakRssMiB }) => peakRssMiB)),
  };
}

/** @param {readonly Extracted[]} units */
const summed = (units) => ({
  images: units.reduce((sum, one) => sum + one.images, 0),
  seconds: units.reduce((sum, one) => sum + one.seconds, 0),
});

const settings = (/** @type {string} */ engine) => {
  const [name = '', precision = ''] = engine.split(':');
  return ['--engine', name, '--precision', precision, '--shard-megabytes', '1'];
};

/** @param {string} engine @param {readonly string[]} datasets one each */
async function extracts(engine, datasets) {
  const ended = await Promise.all(
    datasets.map((dataset, core) =>
      permafrost(core, ['extract', dataset, '--store', fresh(), ...settings(engine), '--threads', '1', '--json']),
    ),
  );
  const extracted = ended.map(({ stdout }) => {
    const { extracted: count, seconds } = JSON.parse(stdout);
    return { images: count, seconds: seconds.extract };
  });
  return figures(ended, extracted);
}

/** @param {string} engine @param {string} dataset @param {number} count of parts */
async function parts(engine, dataset, count) {
  const store = fresh();
  const planned = ['plan', dataset, '--store', store, '--parts', String(count)];
  await permafrost(null, [...planned, ...settings(engine)]);
  const [run = ''] = readdirSync(join(store, 'parts'));
  const plan = join(store, 'parts', run);
  const ended = await Promise.all(
    Array.from({ length: count }, (_, core) =>
      permafrost(core, ['extract', '--plan', plan, '--part', `${core + 1}/${count}`, '--threads', '1']),
    ),
  );
  const units = unitsOf(store);
  const ofParts = ended.map((_, part) => summed(units.filter(({ k }) => k % count === part)));
  return { store, figures: figures(ended, ofParts) };
}

/** @param {string} engine @param {string} dataset @param {number} count of workers */
async function queued(engine, dataset, count) {
  const redis = await startRedis(scratch);
  try {
    const store = fresh();
    const filled = ['extract', dataset, '--store', store, '--queue', redis.url];
    await permafrost(null, [...filled, ...settings(engine)], redis.env);
    const [run = ''] = readdirSync(join(store, 'parts'));
    const plan = join(store, 'parts', run);
    const ended = await Promise.all(
      Array.from({ length: count }, (_, core) =>
        permafrost(core, ['worker', redis.url, '--plan', plan, '--threads', '1'], redis.env),
      ),
    );
    const all = summed(unitsOf(store));
    // Which worker made a unit is not told: all of them took as long as each other.
    const each = { images: all.images / count, seconds: all.seconds / count };
    return figures(
      ended,
      ended.map(() => each),
    );
  } finally {
    await redis.stop();
  }
}

try {
  /** @type {string[]} */
  const datasets = [];
  for (let worker = 0; worker < workers; worker++)
    datasets.push(await someOf(`images-${worker}`, worker * images, images));
  const one = String(datasets[0]);
  const all = await someOf('images', 0, workers * images);
  /** @type {Record<string, (engine: string) => Promise<Figures>>} */
  const variants = {
    'one extract': (engine) => extracts(engine, [one]),
    [`${workers} extracts`]: (engine) => extracts(engine, datasets),
    'one part': async (engine) => (await parts(engine, one, 1)).figures,
    [`${workers} parts`]: async (engine) => (await parts(engine, all, workers)).figures,
    ...(values.queue && {
      'one worker': (/** @type {string} */ engine) => queued(engine, one, 1),
      [`${workers} workers`]: (/** @type {string} */ engine) => queued(engine, all, workers),
    }),
  };

  for (const engine of values.engine) {
    const whole = fresh();
    const { store } = await parts(engine, all, workers);
    await permafrost(null, ['merge', store]);
    await permafrost(null, ['extract', all, '--store', whole, ...settings(engine)]);
    sameFiles(whole, store);
    console.log(`${engine}: ${workers} parts merged are one extraction, byte by byte`);
  }

  /** @type {Record<string, Record<string, Figures[]>>} */
  const found = {};
  for (let round = 0; round < rounds; round++) {
    for (const engine of values.engine) {
      const names = Object.keys(variants);
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const figure = await /** @type {(engine: string) => Promise<Figures>} */ (variants[name])(engine);
        ((found[engine] ??= {})[name] ??= []).push(figure);
        console.log(
          `round ${round + 1} ${engine} ${name}: ${figure.perSecond.toFixed(2)} images/s, ${figure.alonePerSecond.toFixed(2)} without loading`,
        );
        for (let i = 0; i < made; i++) rmSync(at(`store-${i}.permafrost`), { recursive: true, force: true });
      }
    }
  }

  const middle = (/** @type {Figures[]} */ list, /** @type {keyof Figures} */ key) =>
    median(list.map((figure) => figure[key]));
  console.log(`\nmedians of ${rounds} rounds, ${images} images a worker, units of ${UNIT}, load ${loadavg()[0]?.toFixed(1)}`);
  console.log('engine              variant        images/s  times one  without loading  times one   CPU ms an image   MiB');
  for (const [engine, byName] of Object.entries(found)) {
    for (const [name, list] of Object.entries(byName)) {
      // Of a group of variants the one of a single process comes first.
      const single = `one ${name.replace(/^\S+ /, '').replace(/s$/, '')}`;
      const times = (/** @type {'perSecond' | 'alonePerSecond'} */ key) =>
        (middle(list, key) / middle(/** @type {Figures[]} */ (byName[single]), key)).toFixed(2);
      console.log(
        [
          engine.padEnd(19),
          name.padEnd(13),
          middle(list, 'perSecond').toFixed(2).padStart(9),
          times('perSecond').padStart(10),
          middle(list, 'alonePerSecond').toFixed(2).padStart(16),
          times('alonePerSecond').padStart(10),
          middle(list, 'cpuMs').toFixed(0).padStart(17),
          middle(list, 'peakMiB').toFixed(0).padStart(5),
        ].join(' '),
      );
    }
  }
  console.log(writeReport('machines', { workers, images, unit: UNIT, found }));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
