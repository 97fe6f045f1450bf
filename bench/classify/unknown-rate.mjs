// @ts-check
// Does the rule for "unknown" do what is printed of it?
//   npm run build && node bench/classify/unknown-rate.mjs [--trainings 20] [--train 245] [--classes 6] [--digits FILE]
// One class is truly absent: the rule is made of the others' training rows alone, then known rows and rows of the
// absent class that nobody saw are judged. Printed beside each other: what the rule says and what happens. Features are
// generated (generated-classes.mjs), or with --digits the pixels of scikit-learn's digits, in its package as
// sklearn/datasets/data/digits.csv.gz: 1,797 rows, ten classes, each absent in turn.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { temperatureOf } from '../../dist/classify/out-of-fold/fold-temperatures.js';
import { outOfFold, trainingFolds } from '../../dist/classify/out-of-fold/out-of-fold.js';
import { refitsOf } from '../../dist/classify/out-of-fold/refits.js';
import { auroc } from '../../dist/classify/evaluate/auroc.js';
import { headEntry, scalesProbabilities } from '../../dist/classify/heads/index.js';
import { scaledHead } from '../../dist/classify/heads/scaled-head.js';
import { chooseReject } from '../../dist/classify/novelty/choose-reject.js';
import { chanceOfRejects, OUT_OF_FOLD_EFFECT, rateInterval } from '../../dist/classify/novelty/false-rejects.js';
import { MEASURES, noveltyScores, referenceOf, rowsOf } from '../../dist/classify/novelty/novelty-score.js';
import { random } from '../../dist/core/random.js';
import { applyNormalizer, matrix, selectRows } from '../../dist/index.js';
import { generatedClasses } from './generated-classes.mjs';

const { values } = parseArgs({
  options: {
    trainings: { type: 'string', default: '20' },
    train: { type: 'string', default: '245' },
    classes: { type: 'string', default: '6' },
    apart: { type: 'string', default: '0.7' },
    rate: { type: 'string', default: '0.05' },
    digits: { type: 'string' },
    head: { type: 'string', multiple: true, default: ['logistic:C=10', 'ridge', 'linear-svm:C=10', 'knn', 'centroid'] },
  },
});
const rate = Number(values.rate);
/** @param {ArrayLike<number>} list */
const mean = (list) => Array.from(list).reduce((sum, value) => sum + value, 0) / list.length;

/** @typedef {{ X: import('../../dist/index.js').Matrix, y: string[] }} Labelled */
/**
 * One training set, and known and absent rows that nobody saw.
 * @returns {{ train: Labelled, known: Labelled, absent: Labelled }}
 */
function generated(/** @type {number} */ training) {
  const made = generatedClasses({ classes: Number(values.classes), apart: Number(values.apart), seed: 500 + training });
  const [left = '', ...known] = made.names;
  return {
    train: made.rows(known, Math.round(Number(values.train) / known.length), 1),
    known: made.rows(known, Math.round(3000 / known.length), 2),
    absent: made.rows([left], 600, 3),
  };
}

/** @param {string} path */
function digitsOf(path) {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n');
  const X = matrix(lines.length, 64);
  const y = lines.map((line, i) => {
    const numbers = line.split(',').map(Number);
    X.data.set(numbers.slice(0, 64), i * 64);
    return String(numbers[64]);
  });
  return { X, y };
}
const digits = values.digits === undefined ? undefined : digitsOf(values.digits);

/** @returns {ReturnType<typeof generated>} */
function drawn(/** @type {number} */ training) {
  if (digits === undefined) return generated(training);
  const left = String(training % 10);
  const order = random(training).shuffle(Array.from(digits.y.keys()));
  /** @param {readonly number[]} rows */
  const part = (rows) => ({ X: selectRows(digits.X, rows), y: rows.map((i) => digits.y[i] ?? '') });
  const known = order.filter((i) => digits.y[i] !== left);
  const size = Number(values.train);
  return {
    train: part(known.slice(0, size)),
    known: part(known.slice(size)),
    absent: part(order.filter((i) => digits.y[i] === left)),
  };
}

console.log(
  `${values.digits ? 'digits' : `generated, ${values.classes} classes`}, ${values.trainings} training sets of ${values.train} rows with one class absent, ${100 * rate} % asked for`,
);
for (const plan of values.head) {
  const [name = '', ...rest] = plan.split(':');
  const options = Object.fromEntries(rest.map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]));
  /** @type {Record<string, number[]>} */
  const found = {
    share: [],
    within: [],
    told: [],
    real: [],
    toldRejected: [],
    realRejected: [],
    rang153: [],
    rang736: [],
  };
  /** @type {Map<string, number[]>} */
  const byMeasure = new Map(MEASURES.map((measure) => [measure, []]));
  /** @type {Map<string, number>} */
  const chosen = new Map();
  for (let training = 0; training < Number(values.trainings); training++) {
    const { train, known, absent } = drawn(training);
    const refits = await refitsOf(headEntry(name).create(options), { X: train.X, labels: train.y, normalize: 'l2' });
    const keys = train.y.map((_, i) => String(i).padStart(5, '0'));
    const judged = await outOfFold(refits, trainingFolds(train.y, { keys, groups: keys, seed: 1 }));
    const head = scaledHead(await refits.whole(), scalesProbabilities(name) ? temperatureOf(judged) : undefined);
    const rule = await chooseReject(head, refits, judged, { rate, seed: 1 });
    if ('reason' in rule) throw new Error(rule.reason);
    const { measure, threshold, reference } = rule.reject;
    const [usual, strange] = [known, absent].map(({ X }) => applyNormalizer(refits.normalizer, X));
    if (usual === undefined || strange === undefined) throw new Error('no rows');
    const scores = await noveltyScores(measure, head, usual, reference);
    const odd = await noveltyScores(measure, head, strange, reference);
    const above = Array.from(scores, (score) => Number(score > threshold));
    chosen.set(measure, (chosen.get(measure) ?? 0) + 1);
    const calibration = { calibratedOn: rule.calibratedOn, rate, effect: OUT_OF_FOLD_EFFECT };
    const [low, high] = rateInterval(calibration);
    found.share?.push(mean(above));
    found.within?.push(Number(mean(above) >= low && mean(above) <= high));
    found.told?.push(mean(rule.leftOut.map((one) => one.auroc)));
    found.real?.push(auroc(odd, scores));
    found.toldRejected?.push(mean(rule.leftOut.map((one) => one.rejected)));
    found.realRejected?.push(mean(Array.from(odd, (score) => Number(score > threshold))));
    // Validation sets are drawn from the known rows: how often would they be told to differ?
    const source = random(training);
    const order = Array.from(above.keys());
    for (const m of [153, 736])
      for (let draw = 0; draw < 20; draw++) {
        const rejected = source
          .shuffle(order)
          .slice(0, m)
          .reduce((sum, i) => sum + (above[i] ?? 0), 0);
        const chance = chanceOfRejects(rejected, Math.min(m, order.length), calibration);
        found[`rang${m}`]?.push(Number(chance <= 0.025));
      }
    for (const one of MEASURES) {
      if (one === 'energy' && head.logits === undefined) continue;
      const compared = referenceOf(one, rowsOf(refits.normalized, train.y));
      byMeasure
        .get(one)
        ?.push(
          auroc(await noveltyScores(one, head, strange, compared), await noveltyScores(one, head, usual, compared)),
        );
    }
  }
  /** @param {string} key */
  const shown = (key, digitsShown = 3) => mean(found[key] ?? []).toFixed(digitsShown);
  const shares = [...(found.share ?? [])].sort((a, b) => a - b);
  console.log(`${plan}: ${[...chosen].map(([measure, times]) => `${measure} (${times})`).join(', ')}`);
  console.log(
    `  false rejects: mean ${shown('share')}, from ${shares[0]?.toFixed(3)} to ${shares.at(-1)?.toFixed(3)}; within the printed range in ${shown('within', 2)} of trainings`,
  );
  console.log(
    `  AUROC of the absent class ${shown('real')}, printed ${shown('told')}; rejected ${shown('realRejected')}, printed ${shown('toldRejected')}`,
  );
  console.log(`  told that val differs: ${shown('rang153')} of draws of 153, ${shown('rang736')} of 736`);
  console.log(
    `  AUROC by measure: ${[...byMeasure].map(([measure, list]) => `${measure} ${list.length ? mean(list).toFixed(3) : '-'}`).join(', ')}`,
  );
}
