// @ts-check
// How many of the labels that "check" tells to be wrong are, and does cleanlab tell better ones of the same
// probabilities?
//   npm run build && node bench/check/label-errors.mjs STORE [--draws 4] [--peer]
// STORE: features of a data set with labels to be trusted. Draw by draw 0, 2, 5, 10 and 20 % of the labels are swapped
// in memory. With --peer cleanlab answers too, from its own environment (bench/.venv). Writes
// bench/results/label-errors-<time>.json.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { peerPython } from '../peer-environment.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(`${root}dist/index.js`)) throw new Error('dist/ is missing. Run "npm run build" first.');
const dist = (/** @type {string} */ file) => import(new URL(`../../dist/${file}`, import.meta.url).href);
/** @type {typeof import('../../src/classify/evaluate/label-suspects.ts')} */
const { judgeLabels, outOfFold } = await dist('classify/evaluate/label-suspects.js');
/** @type {typeof import('../../src/classify/heads/index.ts')} */
const { createHead } = await dist('classify/heads/index.js');
/** @type {typeof import('../../src/classify/normalize.ts')} */
const { applyNormalizer, fitNormalizer } = await dist('classify/normalize.js');
/** @type {typeof import('../../src/core/random.ts')} */
const { random } = await dist('core/random.js');
/** @type {typeof import('../../src/core/sample.ts')} */
const { SPLITS } = await dist('core/sample.js');
/** @type {typeof import('../../src/store/open.ts')} */
const { openStore } = await dist('store/open.js');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { draws: { type: 'string', default: '4' }, peer: { type: 'boolean', default: false } },
});
const [path] = positionals;
if (path === undefined) throw new Error('Usage: node bench/check/label-errors.mjs STORE [--draws 4] [--peer]');

const python = values.peer ? peerPython('check', 'cleanlab') : undefined;
const store = await openStore(path);
const stored = [...(await store.samples())];
// Rows come split by split.
const samples = SPLITS.flatMap((split) => stored.filter((sample) => sample.split === split));
const rows = await store.withSamples(samples).rows({ parts: 'avg', memory: 'matrix' });
const X = applyNormalizer(await fitNormalizer('l2', rows), rows.matrix);
const truth = samples.map(({ label }) => label);
const keys = samples.map((sample) => sample.path);
const classes = [...new Set(truth)].sort();
const head = createHead('logistic', { C: 10 });

/** @param {number} share @param {number} draw */
async function round(share, draw) {
  const source = random(100 + draw);
  const labels = [...truth];
  const swapped = new Set(source.shuffle([...truth.keys()]).slice(0, Math.round(share * truth.length)));
  for (const row of swapped) {
    const others = classes.filter((name) => name !== truth[row]);
    labels[row] = /** @type {string} */ (others[source.below(others.length)]);
  }
  const options = /** @type {const} */ ({ normalize: 'none', nSplits: 5, seed: 1, keys, groups: keys });
  const { ranked, estimated } = await judgeLabels(head, X, labels, options);
  const { probabilities } = await outOfFold(head, X, labels, classes, options);
  const told = ranked.slice(0, estimated);
  return {
    share,
    draw,
    swapped: swapped.size,
    told: estimated,
    right: told.filter(({ row }) => swapped.has(row)).length,
    peer: peer({
      labels: labels.map((label) => classes.indexOf(label)),
      swapped: [...swapped],
      probabilities: labels.map((_, row) => [...(probabilities.get(row) ?? [])]),
    }),
  };
}

/** @param {object} question @returns {{ counted: number, told: number, right: number } | undefined} */
function peer(question) {
  if (python === undefined) return undefined;
  const script = fileURLToPath(new URL('cleanlab_peer.py', import.meta.url));
  const answer = spawnSync(python, [script], { input: JSON.stringify(question), encoding: 'utf8' });
  if (answer.status !== 0) throw new Error(answer.stderr);
  return JSON.parse(answer.stdout);
}

const rounds = [];
for (const share of [0, 0.02, 0.05, 0.1, 0.2]) {
  /** @type {Awaited<ReturnType<typeof round>>[]} */
  const drawn = [];
  for (let draw = 1; draw <= (share === 0 ? 1 : Number(values.draws)); draw++) drawn.push(await round(share, draw));
  rounds.push(...drawn);
  const mean = (/** @type {(one: (typeof drawn)[number]) => number} */ of) =>
    drawn.reduce((sum, one) => sum + of(one), 0) / drawn.length;
  const figures = (/** @type {(one: (typeof drawn)[number]) => { told: number, right: number }} */ of) =>
    `${mean((one) => of(one).told).toFixed(1)} told, precision ${mean((one) => of(one).right / of(one).told).toFixed(2)}, recall ${mean((one) => of(one).right / one.swapped).toFixed(2)}`;
  const counted = drawn.every(({ told, peer }) => peer === undefined || peer.counted === told);
  console.log(
    `${100 * share} % (${drawn[0]?.swapped} of ${truth.length}): ${figures((one) => one)}` +
      (python === undefined
        ? ''
        : `; cleanlab ${figures((one) => /** @type {{ told: number, right: number }} */ (one.peer))}, its count is ${counted ? 'the same' : 'ANOTHER ONE'}`),
  );
}
console.log(
  writeReport('label-errors', { question: 'How many labels told to be wrong are?', images: truth.length, rounds }),
);
