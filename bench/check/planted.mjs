// @ts-check
// How many planted copies and swapped labels does "check" find?
//   npm run build && node bench/check/planted.mjs DATASET [--seeds 5] [--copies 20] [--swapped 0.02] [--engine auto]
//     [--precision auto]
// DATASET: train/ and val/ with one folder a class. Each seed plants two copies of it in a temporary folder. In the
// first, images of train lie in val too: 20 byte for byte, 20 others re-encoded (half to full size, JPEG quality 25 to
// 85). In the second, 2 % of all images lie in the folder of another class. Counted are the planted copies that are
// told as leaks, pairs told that were not planted, and the swapped images among the first 5 % of the suspects. Writes
// bench/results/planted-<time>.json.
import { cpSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { writeReport } from '../machine.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
const dist = (/** @type {string} */ file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
/** @type {typeof import('../../src/index.ts')} */
const { extract, scanDataset } = await dist('index.js');
/** @type {typeof import('../../src/workflows/check/check.ts')} */
const { check } = await dist('workflows/check/check.js');
/** @type {typeof import('../../src/core/random.ts')} */
const { random } = await dist('core/random.js');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '5' },
    copies: { type: 'string', default: '20' },
    swapped: { type: 'string', default: '0.02' },
    engine: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'auto' },
  },
});
const [given] = positionals;
const [seeds, copies, share] = [Number(values.seeds), Number(values.copies), Number(values.swapped)];
if (given === undefined || !(seeds >= 1) || !(copies >= 1) || !(share > 0))
  throw new Error('Usage: node bench/check/planted.mjs DATASET [--seeds 5] [--copies 20] [--swapped 0.02]');

const dataset = resolve(given);
const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-planted-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
// One store for all copies: only what was re-encoded goes through the network again.
const store = join(scratch, 'store');
/** @type {any} -- checked by the option tables */
const engine = { engine: values.engine, precision: values.precision, store };
const { samples } = await scanDataset(dataset);
const train = samples.filter(({ split }) => split === 'train');
const val = samples.find(({ split }) => split === 'val');
if (val === undefined || train.length < 2 * copies)
  throw new Error(`${dataset} needs a val split and ${2 * copies} training images or more.`);
const valFolder = dirname(dirname(val.path));

/** @param {string} name */
function copied(name) {
  const to = join(scratch, name);
  cpSync(dataset, to, { recursive: true });
  return to;
}

/**
 * Copies across the splits: what was planted, and what "check" told.
 * @param {number} seed
 */
async function plantCopies(seed) {
  const to = copied(`copies-${seed}`);
  const source = random(seed);
  const chosen = source.shuffle([...train]).slice(0, 2 * copies);
  /** @type {Map<string, 'exact' | 'near'>} */
  const planted = new Map();
  for (const [i, { path, label }] of chosen.entries()) {
    const kind = i < copies ? 'exact' : 'near';
    const target = join(valFolder, label, `planted-${i}.jpg`);
    planted.set(target, kind);
    if (kind === 'exact') copyFileSync(join(to, path), join(to, target));
    else {
      const image = sharp(join(to, path)).rotate();
      const { width } = await sharp(join(to, path)).metadata();
      await image
        .resize({ width: Math.round(width * (0.5 + 0.5 * source.uniform())) })
        .jpeg({ quality: 25 + source.below(61) })
        .toFile(join(to, target));
    }
  }
  await extract(to, engine);
  const { leaks, near, exact, accuracy } = await check(store);
  const told = new Map(leaks.map(({ held, kind }) => [held, kind]));
  const found = (/** @type {string} */ kind) =>
    [...planted].filter(([path, own]) => own === kind && told.has(path)).length;
  const isPlanted = (/** @type {string} */ path) => planted.has(path);
  return {
    exact: found('exact'),
    near: found('near'),
    notPlanted: [
      ...near.filter(({ a, b }) => !isPlanted(a) && !isPlanted(b)).map(({ a, b }) => [a, b]),
      ...exact.filter((paths) => !paths.some(isPlanted)),
    ],
    accuracy: accuracy?.all,
    accuracyWithoutLeaks: accuracy?.clean,
  };
}

/**
 * Swapped labels among the first 5 % of the suspects.
 * @param {number} seed
 */
async function swapLabels(seed) {
  const to = copied(`swapped-${seed}`);
  const source = random(1000 + seed);
  const classes = [...new Set(samples.map(({ label }) => label))].sort();
  const count = Math.round(share * samples.length);
  /** @type {Set<string>} */
  const planted = new Set();
  for (const { path, label } of source.shuffle([...samples]).slice(0, count)) {
    const others = classes.filter((name) => name !== label);
    const target = join(
      dirname(dirname(path)),
      String(others[source.below(others.length)]),
      `swapped-${basename(path)}`,
    );
    renameSync(join(to, path), join(to, target));
    planted.add(target);
  }
  const first = Math.round(0.05 * samples.length);
  await extract(to, engine);
  const { suspects } = await check(store, { suspects: first });
  return { swapped: count, first, found: suspects.filter(({ path }) => planted.has(path)).length };
}

/** @type {(Awaited<ReturnType<typeof plantCopies>> & Awaited<ReturnType<typeof swapLabels>>)[]} */
const rounds = [];
for (let seed = 1; seed <= seeds; seed++) {
  const round = { ...(await plantCopies(seed)), ...(await swapLabels(seed)) };
  rounds.push(round);
  console.log(
    `seed ${seed}: ${round.exact} of ${copies} equal copies, ${round.near} of ${copies} re-encoded ones, ${round.notPlanted.length} pairs not planted; ` +
      `accuracy ${round.accuracy?.accuracy.toFixed(4)} with the copies, ${round.accuracyWithoutLeaks?.accuracy.toFixed(4)} without; ` +
      `${round.found} of ${round.swapped} swapped labels among the first ${round.first} suspects`,
  );
}
/** @param {'exact' | 'near' | 'found' | 'swapped'} key */
const sum = (key) => rounds.reduce((total, round) => total + round[key], 0);
console.log(
  `${samples.length} images, ${seeds} seeds: ${sum('exact')} of ${seeds * copies} equal copies, ${sum('near')} of ${seeds * copies} re-encoded, ${sum('found')} of ${sum('swapped')} swapped labels (${((100 * sum('found')) / sum('swapped')).toFixed(0)} %)`,
);
console.log(
  writeReport('planted', {
    question: 'How many planted copies and swapped labels does check find?',
    images: samples.length,
    engine: { engine: values.engine, precision: values.precision },
    rounds,
  }),
);
