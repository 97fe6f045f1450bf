// @ts-check
// Does a printed 95 % interval hold the true figure in 95 of 100 cases?
//   npm run build && node bench/classify/intervals.mjs [--rounds 4000] [--fold-rounds 300]
// Each line: the share of simulated data sets whose interval holds the truth, and how many have no width. The interval
// of a cross-validated figure is held against two truths: what the folds' heads reach on average, and what the head
// that is fitted on all rows reaches.
import { parseArgs } from 'node:util';
import { crossScores } from '../../dist/classify/cross-validation/cross-scores.js';
import { accuracy, balancedAccuracyInterval, topClass, wilsonInterval } from '../../dist/classify/evaluate/metrics.js';
import { differenceInterval, pairedBootstrap } from '../../dist/classify/evaluate/paired-tests.js';
import { random } from '../../dist/core/random.js';
import { createHead, matrixRows } from '../../dist/index.js';
import { crossValidated, exchangeable, gaussianBlocks } from './simulated-heads.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4000' },
    'fold-rounds': { type: 'string', default: '300' },
  },
});
const rounds = Number(values.rounds);

/**
 * @param {string} name @param {number} truth
 * @param {(source: ReturnType<typeof random>) => readonly [number, number]} interval @param {number} times
 */
function coverage(name, truth, interval, times = rounds) {
  const source = random(1);
  let [held, flat] = [0, 0];
  for (let i = 0; i < times; i++) {
    const [low, high] = interval(source);
    if (low <= truth + 1e-12 && truth - 1e-12 <= high) held++;
    if (high - low < 1e-12) flat++;
  }
  console.log(`${name} | ${(held / times).toFixed(3)} | ${(flat / times).toFixed(3)}`);
}
/** @param {ReturnType<typeof random>} source @param {number} n @param {number} p */
function binomial(source, n, p) {
  let hits = 0;
  for (let i = 0; i < n; i++) hits += Number(source.uniform() < p);
  return hits;
}

console.log('interval | holds the truth | has no width');
for (const [n, p] of /** @type {const} */ ([
  [50, 0.9],
  [153, 0.93],
  [153, 0.99],
  [736, 0.89],
]))
  coverage(`accuracy ${p} of ${n}`, p, (source) => wilsonInterval(binomial(source, n, p), n));

for (const [sizes, recalls] of /** @type {const} */ ([
  [[10, 10, 10, 10, 10], [0.99]],
  [[10, 10, 10, 10, 10], [0.9]],
  [[50, 50, 50, 50, 50], [0.99]],
  [
    [50, 50, 50, 50, 50],
    [0.9, 0.95, 0.8, 0.99, 0.7],
  ],
  [
    [124, 121],
    [0.93, 0.95],
  ],
  [
    [200, 50, 30, 14, 6],
    [0.95, 0.9, 0.9, 0.8, 0.7],
  ],
  [[200, 50, 30, 14, 6], [0.99]],
  [
    [500, 10],
    [0.99, 0.5],
  ],
  [Array(200).fill(3), [0.95]],
])) {
  const recallOf = (/** @type {number} */ c) => Number(recalls[c % recalls.length]);
  const truth = sizes.reduce((/** @type {number} */ sum, _, c) => sum + recallOf(c), 0) / sizes.length;
  coverage(
    `balanced accuracy, rows ${sizes.length > 9 ? `${sizes.length} x ${sizes[0]}` : sizes.join('+')}, recall ${recalls.join(', ')}`,
    truth,
    (source) =>
      balancedAccuracyInterval(
        sizes.map((support, c) => ({
          precision: 0,
          f1: 0,
          support,
          recall: binomial(source, support, recallOf(c)) / support,
        })),
      ),
  );
}

for (const [n, b, c] of /** @type {const} */ ([
  [153, 0.02, 0.02],
  [153, 0.03, 0.01],
  [153, 0.02, 0],
  [153, 0.01, 0],
  [736, 0.02, 0.005],
  [736, 0.05, 0.05],
])) {
  const draw = (/** @type {ReturnType<typeof random>} */ source) => {
    let [onlyFirst, onlySecond] = [0, 0];
    for (let i = 0; i < n; i++) {
      const u = source.uniform();
      if (u < b) onlyFirst++;
      else if (u < b + c) onlySecond++;
    }
    return { onlyFirst, onlySecond };
  };
  const name = `difference, ${100 * b} % against ${100 * c} % of ${n}`;
  coverage(name, b - c, (source) => differenceInterval(draw(source), n));
  coverage(
    `${name}, by the bootstrap`,
    b - c,
    (source) => {
      const { onlyFirst, onlySecond } = draw(source);
      const right = (/** @type {number} */ from, /** @type {number} */ to) =>
        Int32Array.from({ length: n }, (_, i) => Number(i >= from && i < to));
      const [first, second] = [right(onlyFirst, onlyFirst + onlySecond), right(0, onlyFirst)];
      return pairedBootstrap(new Int32Array(n), first, second, { seed: 1, resamples: 500 }).interval;
    },
    Math.ceil(rounds / 10),
  );
}

for (const sizes of [
  [83, 70],
  [180, 128, 129, 140, 159],
]) {
  const task = { sizes, heads: 1, margin: 3.5, own: 1 };
  const of = (/** @type {number} */ seed) => {
    const { truth, answers } = exchangeable({ ...task, seed });
    return crossScores(truth, /** @type {NonNullable<typeof answers[0]>} */ (answers[0]).P, []).logLoss;
  };
  const times = Math.ceil(rounds / 4);
  let truth = 0;
  for (let seed = 1; seed <= 1000; seed++) truth += of(1e6 + seed).value / 1000;
  let seed = 0;
  coverage(`log loss ${truth.toFixed(3)}, rows ${sizes.join('+')}`, truth, () => of(++seed).interval, times);
}

console.log('\nin 5 folds: head | rows | figure | holds the mean of the folds’ heads | of the head on all rows');
for (const [name, options] of /** @type {const} */ ([
  ['logistic', { C: 1 }],
  ['knn', {}],
])) {
  for (const rows of [60, 245]) {
    const many = gaussianBlocks({ rows: 8000, blocks: 1, width: 10, distance: 2.5, seed: 1e6 });
    const X = /** @type {import('../../dist/index.js').Matrix} */ (many.X[0]);
    const truth = Int32Array.from(many.y, (label) => Number(label === 'b'));
    const reached = async (/** @type {import('../../dist/index.js').FittedHead} */ head) =>
      accuracy(truth, topClass(await head.predictProba(X)));
    let [byFolds, byAll] = [0, 0];
    const times = Number(values['fold-rounds']);
    for (let round = 1; round <= times; round++) {
      const { X: blocks, y } = gaussianBlocks({ rows, blocks: 1, width: 10, distance: 2.5, seed: round });
      const block = /** @type {import('../../dist/index.js').Matrix} */ (blocks[0]);
      const found = await crossValidated(name, options, block, y, { folds: 5, seed: round });
      const [low, high] = crossScores(found.truth, found.P, found.folds).accuracy.interval;
      let mean = 0;
      for (const head of found.fitted) mean += (await reached(head)) / found.fitted.length;
      const all = await reached(await createHead(name, options).fit(matrixRows(block), y));
      byFolds += Number(low <= mean && mean <= high);
      byAll += Number(low <= all && all <= high);
    }
    console.log(`${name} | ${rows} | accuracy | ${(byFolds / times).toFixed(3)} | ${(byAll / times).toFixed(3)}`);
  }
}
