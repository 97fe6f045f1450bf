// @ts-check
// How many planted copies and swapped labels does "check" find, by kind of copy, and how much that it tells is none?
//   npm run build && node bench/check/planted.mjs DATASET [--seeds 3] [--copies 10] [--swapped 0.02] [--engine auto]
//     [--precision auto]
// DATASET: train/ and val/ with one folder a class. Each seed plants two copies of it in a temporary folder. In the
// first, images of train lie in val too: 10 of them byte for byte and in each of the forms of copy-kinds.mjs. In the
// second, 2 % of all images lie in the folder of another class. Counted are the planted copies that are told as leaks
// of their originals, pairs told that were not planted (look at these: a data set has copies of its own), and, of so
// many labels as are told to be wrong, the swapped ones. Writes bench/results/planted-<time>.json.
import { cpSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { COPY_KINDS, copyOf } from './copy-kinds.mjs';

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
    seeds: { type: 'string', default: '3' },
    copies: { type: 'string', default: '10' },
    swapped: { type: 'string', default: '0.02' },
    engine: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'auto' },
  },
});
const [given] = positionals;
const [seeds, copies, share] = [Number(values.seeds), Number(values.copies), Number(values.swapped)];
if (given === undefined || !(seeds >= 1) || !(copies >= 1) || !(share > 0))
  throw new Error('Usage: node bench/check/planted.mjs DATASET [--seeds 3] [--copies 10] [--swapped 0.02]');

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
if (val === undefined || train.length < copies)
  throw new Error(`${dataset} needs a val split and ${copies} training images or more.`);
const valFolder = dirname(dirname(val.path));

/** @param {string} name */
function copied(name) {
  const to = join(scratch, name);
  cpSync(dataset, to, { recursive: true });
  return to;
}

const KINDS = ['equal', ...Object.keys(COPY_KINDS)];

/**
 * Copies across the splits: what was planted, and what "check" told.
 * @param {number} seed
 */
async function plantCopies(seed) {
  const to = copied(`copies-${seed}`);
  const chosen = random(seed)
    .shuffle([...train])
    .slice(0, copies);
  /** @type {Map<string, { kind: string, of: string }>} */
  const planted = new Map();
  for (const [i, { path, label }] of chosen.entries()) {
    for (const [k, kind] of KINDS.entries()) {
      const target = join(valFolder, label, `planted-${i}-${k}.${COPY_KINDS[kind]?.suffix ?? 'jpg'}`);
      planted.set(target, { kind, of: path });
      if (kind === 'equal') copyFileSync(join(to, path), join(to, target));
      else writeFileSync(join(to, target), await copyOf(kind, join(to, path)));
    }
  }
  await extract(to, engine);
  const started = performance.now();
  const { leaks, near, alike, exact, accuracy } = await check(store);
  const seconds = (performance.now() - started) / 1000;
  // The copies of one image are copies of each other: any of them may stand for it.
  const original = (/** @type {string} */ path) => planted.get(path)?.of ?? path;
  const told = new Set(leaks.filter(({ train, held }) => original(train) === original(held)).map(({ held }) => held));
  const notPlanted = near.filter(({ a, b }) => original(a) !== original(b));
  return {
    found: Object.fromEntries(
      KINDS.map((kind) => [kind, [...planted].filter(([path, own]) => own.kind === kind && told.has(path)).length]),
    ),
    pairs: near.length,
    notPlanted: [
      ...notPlanted.map(({ a, b, correlation }) => ({ paths: [a, b], correlation })),
      ...exact.filter((paths) => new Set(paths.map(original)).size > 1).map((paths) => ({ paths, correlation: 1 })),
    ],
    alikeNotPlanted: alike.filter(({ a, b }) => original(a) !== original(b)).length,
    seconds,
    accuracy: accuracy?.all,
    accuracyWithoutLeaks: accuracy?.clean,
  };
}

/**
 * Swapped labels among those that are told to be wrong.
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
  await extract(to, engine);
  const { suspects, labelErrors } = await check(store, { suspects: samples.length });
  return {
    swapped: count,
    told: labelErrors,
    right: suspects.slice(0, labelErrors).filter(({ path }) => planted.has(path)).length,
  };
}

/** @type {(Awaited<ReturnType<typeof plantCopies>> & Awaited<ReturnType<typeof swapLabels>>)[]} */
const rounds = [];
for (let seed = 1; seed <= seeds; seed++) {
  const round = { ...(await plantCopies(seed)), ...(await swapLabels(seed)) };
  rounds.push(round);
  console.log(
    `seed ${seed}: ${Object.values(round.found).reduce((a, b) => a + b)} of ${KINDS.length * copies} copies in ${round.seconds.toFixed(1)} s, ` +
      `${round.notPlanted.length} of ${round.pairs} pairs not planted, ${round.alikeNotPlanted} others alike; ` +
      `accuracy ${round.accuracy?.accuracy.toFixed(4)} with the copies, ${round.accuracyWithoutLeaks?.accuracy.toFixed(4)} without; ` +
      `${round.told} labels told to be wrong, ${round.right} of them among the ${round.swapped} swapped ones`,
  );
  for (const { paths, correlation } of round.notPlanted)
    console.log(`  ${correlation?.toFixed(3)} ${paths.join('  ')}`);
}
for (const kind of KINDS) {
  const found = rounds.reduce((total, round) => total + (round.found[kind] ?? 0), 0);
  console.log(`${kind.padEnd(18)} ${found} of ${seeds * copies}`);
}
/** @param {'told' | 'right' | 'swapped'} key */
const sum = (key) => rounds.reduce((total, round) => total + round[key], 0);
console.log(`labels: ${sum('told')} told, ${sum('right')} of them right, ${sum('swapped')} swapped`);
console.log(
  writeReport('planted', {
    question: 'How many planted copies and swapped labels does check find?',
    images: samples.length,
    engine: { engine: values.engine, precision: values.precision },
    rounds,
  }),
);
