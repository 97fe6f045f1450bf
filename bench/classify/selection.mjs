// @ts-check
// How far is the figure of the best of eleven heads from its true accuracy, and does its 95 % interval hold that?
//   npm run build && node bench/classify/selection.mjs [--trainings 30] [--train 300]
// Each training set is generated, eleven heads are fitted and cross-validated on it as `run` does, and their true
// accuracies come from 8,000 further rows. Of those 200 validation sets of each size are drawn. Chosen by the
// validation rows the best is also judged by them; chosen by cross-validation they had no part in the choice.
import { parseArgs } from 'node:util';
import { byCrossValidation, crossValidated } from '../../dist/classify/cross-validation/choice.js';
import { outOfFold, trainingFolds } from '../../dist/classify/out-of-fold/out-of-fold.js';
import { refitsOf } from '../../dist/classify/out-of-fold/refits.js';
import { wilsonInterval } from '../../dist/classify/evaluate/metrics.js';
import { headEntry, scalesProbabilities } from '../../dist/classify/heads/index.js';
import { random } from '../../dist/core/random.js';
import { applyNormalizer } from '../../dist/index.js';
import { generatedClasses } from './generated-classes.mjs';

/** @type {readonly (readonly [string, Record<string, unknown>])[]} */
const HEADS = [
  ['logistic', { C: 1 }],
  ['logistic', { C: 10 }],
  ['logistic', { C: 100 }],
  ['linear-svm', { C: 1 }],
  ['linear-svm', { C: 10 }],
  ['ridge', { alpha: 1 }],
  ['ridge', { alpha: 10 }],
  ['knn', { nNeighbors: 5 }],
  ['knn', { nNeighbors: 15 }],
  ['centroid', {}],
  ['centroid', { metric: 'euclidean' }],
];
const SIZES = [50, 153, 736];
const POOL = 8000;
const DRAWS = 200;
const { values } = parseArgs({
  options: { trainings: { type: 'string', default: '30' }, train: { type: 'string', default: '300' } },
});

/** @param {ArrayLike<number>} list */
const mean = (list) => Array.from(list).reduce((sum, value) => sum + value, 0) / list.length;

const WAYS = ['validation', 'crossValidation', 'fixed'];
/** @type {Map<string, { optimism: number[], held: number[], regret: number[] }>} */
const outcomes = new Map(
  SIZES.flatMap((size) => WAYS.map((way) => [`${size} ${way}`, { optimism: [], held: [], regret: [] }])),
);
for (let training = 0; training < Number(values.trainings); training++) {
  const made = generatedClasses({ classes: 5, seed: 100 + training });
  const { X, y } = made.rows(made.names, Number(values.train) / 5, 1);
  const pool = made.rows(made.names, POOL / 5, 2);
  const keys = y.map((_, i) => String(i).padStart(5, '0'));
  const folds = trainingFolds(y, { keys, groups: keys, seed: 1 });
  const heads = [];
  for (const [name, options] of HEADS) {
    const refits = await refitsOf(headEntry(name).create(options), { X, labels: y, normalize: 'l2' });
    const figures = crossValidated(await outOfFold(refits, folds), scalesProbabilities(name));
    const head = await refits.whole();
    const P = await head.predictProba(applyNormalizer(refits.normalizer, pool.X));
    const right = pool.y.map((label, i) => {
      const p = P.data.subarray(i * P.cols, (i + 1) * P.cols);
      return Number(head.classes[p.indexOf(Math.max(...p))] === label);
    });
    heads.push({ figures, right, accuracy: mean(right) });
  }
  const byFolds = [...heads].sort((a, b) => byCrossValidation(a.figures, b.figures))[0];
  const most = Math.max(...heads.map(({ accuracy }) => accuracy));
  const source = random(training);
  const order = Int32Array.from({ length: POOL }, (_, i) => i);
  for (const size of SIZES)
    for (let draw = 0; draw < DRAWS; draw++) {
      const rows = source.shuffle(order).slice(0, size);
      /** @param {(typeof heads)[number]} head */
      const hitsOf = ({ right }) => rows.reduce((sum, i) => sum + (right[i] ?? 0), 0);
      const best = heads.reduce((a, b) => (hitsOf(b) > hitsOf(a) ? b : a));
      const chosen = { validation: best, crossValidation: byFolds ?? best, fixed: heads[1] ?? best };
      for (const [way, head] of Object.entries(chosen)) {
        const outcome = outcomes.get(`${size} ${way}`);
        const [low, high] = wilsonInterval(hitsOf(head), size);
        outcome?.optimism.push(hitsOf(head) / size - head.accuracy);
        outcome?.held.push(Number(low <= head.accuracy && head.accuracy <= high));
        outcome?.regret.push(most - head.accuracy);
      }
    }
}
console.log(
  `${values.trainings} training sets of ${values.train}, ${HEADS.length} heads, ${DRAWS} validation sets each`,
);
console.log('validated | chosen by | printed - true accuracy | interval holds it | true accuracy below the best head');
for (const [key, { optimism, held, regret }] of outcomes) {
  const [size, way] = key.split(' ');
  console.log([size, way, mean(optimism).toFixed(4), mean(held).toFixed(3), mean(regret).toFixed(4)].join(' | '));
}
