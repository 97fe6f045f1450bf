// @ts-check
// How often do the tests that are printed tell equally good heads apart? 5 of 100 times at most is meant.
//   npm run build && node bench/classify/tests.mjs [--rounds 600] [--fold-rounds 200]
// Heads are equal by construction (simulated-heads.mjs). "pair": two heads chosen beforehand, their p-value. "best of
// k": the best of k on the same rows against all others, as sweep and run do: sets in which any head is told apart, by
// the adjusted p-value that is printed, and by Holm's adjustment of the plain ones. "in folds": logistic heads on k
// blocks of features with 5-fold cross-validation, so that training sets vary too.
import { parseArgs } from 'node:util';
import { compareWithBest } from '../../dist/classify/cross-validation/compare.js';
import { accuracy, balancedAccuracy, classScores, confusionMatrix } from '../../dist/classify/evaluate/metrics.js';
import { crossValidated, exchangeable, gaussianBlocks } from './simulated-heads.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '600' },
    'fold-rounds': { type: 'string', default: '200' },
  },
});
const SCORES = /** @type {const} */ (['accuracy', 'balancedAccuracy', 'logLoss']);
/** @param {readonly boolean[]} list */
const share = (list) => (list.filter(Boolean).length / list.length).toFixed(3);

/** @param {number[]} pValues Whether Holm's adjustment of the plain p-values would tell one apart. */
const byHolm = (pValues) => Math.min(...pValues) * pValues.length <= 0.05;

/** @typedef {import('./simulated-heads.mjs').Answers} Answers */
/** @type {Record<(typeof SCORES)[number], (truth: Int32Array, answers: Answers) => number>} */
const VALUES = {
  accuracy: (truth, { guess }) => accuracy(truth, guess),
  balancedAccuracy: (truth, { guess, P }) =>
    balancedAccuracy(classScores(confusionMatrix(truth, guess, P.cols), P.cols)),
  logLoss: (_, { losses }) => -losses.reduce((sum, loss) => sum + loss, 0),
};

/**
 * The best first, by the score, and the others compared with it.
 * @param {(typeof SCORES)[number]} score @param {Int32Array} truth
 * @param {readonly Answers[]} answers
 */
function compared(score, truth, answers) {
  const ranked = answers
    .map((one) => ({ one, value: VALUES[score](truth, one) }))
    .sort((a, b) => b.value - a.value)
    .map(({ one }) => one);
  return compareWithBest(score, truth, ranked).slice(1);
}

const DATA = [
  { name: '153 rows of 2 classes', sizes: [83, 70], margin: 4, own: 0.8 },
  { name: '153 rows of 2 classes, unalike heads', sizes: [83, 70], margin: 3, own: 2 },
  { name: '736 rows of 5 classes', sizes: [180, 128, 129, 140, 159], margin: 3.5, own: 1 },
  { name: '300 rows of 5 classes, 6 to 200 each', sizes: [200, 50, 30, 14, 6], margin: 3.5, own: 1 },
];
console.log('rows | heads | score | pair: p < 0.05 | best of k: p < 0.05 (one) | Holm (any) | printed (any)');
for (const { name, ...data } of DATA) {
  for (const heads of [2, 11, 28]) {
    const rounds = Math.ceil(Number(values.rounds) / (heads === 28 ? 2 : 1));
    const made = Array.from({ length: rounds }, (_, round) => exchangeable({ ...data, heads, seed: round + 1 }));
    for (const score of SCORES) {
      const pairs = made.map(({ truth, answers }) => {
        const [, second] = compareWithBest(score, truth, answers.slice(0, 2));
        return Number(second?.pValue) < 0.05;
      });
      const found = made.map(({ truth, answers }) => compared(score, truth, answers));
      console.log(
        [
          name,
          heads,
          score,
          share(pairs),
          share(found.flatMap((others) => others.map(({ pValue }) => pValue < 0.05))),
          share(found.map((others) => byHolm(others.map(({ pValue }) => pValue)))),
          share(found.map((others) => others.some(({ toldApart }) => toldApart))),
        ].join(' | '),
      );
    }
  }
}

console.log('\nin folds: rows | heads | score | pair: p < 0.05 | Holm (any) | printed (any)');
for (const rows of [100, 245]) {
  const heads = 4;
  const truth = Int32Array.from({ length: rows }, (_, i) => i % 2);
  /** @type {Answers[][]} */
  const made = [];
  for (let round = 1; round <= Number(values['fold-rounds']); round++) {
    const { X, y } = gaussianBlocks({ rows, blocks: heads, width: 10, distance: 2.5, seed: round });
    const answers = [];
    for (const block of X)
      answers.push(await crossValidated('logistic', { C: 1 }, block, y, { folds: 5, seed: round }));
    made.push(answers);
  }
  for (const score of SCORES) {
    const pairs = made.map((answers) => compareWithBest(score, truth, answers.slice(0, 2))[1]);
    const found = made.map((answers) => compared(score, truth, answers));
    console.log(
      [
        rows,
        heads,
        score,
        share(pairs.map((pair) => Number(pair?.pValue) < 0.05)),
        share(found.map((others) => byHolm(others.map(({ pValue }) => pValue)))),
        share(found.map((others) => others.some(({ toldApart }) => toldApart))),
      ].join(' | '),
    );
  }
}
