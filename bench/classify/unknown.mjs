// @ts-check
// How well is an image of no trained class told as "unknown"?
//   npm run build && node bench/classify/unknown.mjs [STORE] [--rate 0.05] [--head logistic:avg:l2:C=10]...
// Each class of the store is left out in turn: measure and threshold are chosen on the training images of the other
// classes alone, then the validated images of these (known) and of the class (unknown) are judged. Without STORE: the
// bundled data set, as "npm start" keeps it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { auroc } from '../../dist/classify/evaluate/auroc.js';
import { temperatureOf } from '../../dist/classify/out-of-fold/fold-temperatures.js';
import { outOfFold, trainingFolds } from '../../dist/classify/out-of-fold/out-of-fold.js';
import { refitsOf } from '../../dist/classify/out-of-fold/refits.js';
import { headEntry, scalesProbabilities } from '../../dist/classify/heads/index.js';
import { scaledHead } from '../../dist/classify/heads/scaled-head.js';
import { chooseReject } from '../../dist/classify/novelty/choose-reject.js';
import { MEASURES, noveltyScores, referenceOf, rowsOf } from '../../dist/classify/novelty/novelty-score.js';
import { detectUnknown } from '../../dist/classify/novelty/reject.js';
import * as permafrost from '../../dist/index.js';

const { selectRows } = permafrost;
const HEADS = [
  'logistic:avg:l2:C=10',
  'softmax:avg:standard',
  'mlp:avg:standard',
  'linear-svm:avg:l2:C=10',
  'ridge:avg:l2',
  'knn:avg:l2',
  'centroid:avg:l2',
  'logistic:flatten:l2:C=10',
];
const bundled = fileURLToPath(new URL('../../permafrost-demo/emoji.permafrost', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rate: { type: 'string', default: '0.05' }, head: { type: 'string', multiple: true } },
});
const store = positionals[0] ?? bundled;
if (!existsSync(store)) throw new Error(`${store} is missing. Run "npm start" first, or name a store.`);
const rate = Number(values.rate);

/** @param {readonly number[]} list */
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
/** @param {number} share */
const shown = (share) => share.toFixed(3);

const opened = await permafrost.openStore(store);
console.log(`${store}, at ${100 * rate} % false rejects; means over the classes left out`);
console.log(
  [
    'head',
    'chosen (times)',
    'AUROC',
    'rejected of the class',
    'false rejects',
    ...MEASURES.map((m) => `AUROC ${m}`),
    's',
  ].join(' | '),
);
for (const plan of values.head ?? HEADS) {
  const [name = '', pooling = '', normalize = '', ...rest] = plan.split(':');
  const options = Object.fromEntries(rest.map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)]));
  const part = async (/** @type {'train' | 'val'} */ split) => {
    const parts = /** @type {permafrost.Pooling} */ (pooling);
    const { matrix } = await opened.rows({ parts, splits: [split], memory: 'matrix' });
    return { X: matrix, samples: [...(await opened.samples())].filter((sample) => sample.split === split) };
  };
  const [train, val] = [await part('train'), await part('val')];
  if (train.samples.length === 0 || val.samples.length === 0) throw new Error(`${store} has no train and val images.`);
  const maker = headEntry(name).create(options);
  const classes = [...new Set(train.samples.map(({ label }) => label))].sort();
  if (classes.length < 3) throw new Error(`${store} has ${classes.length} classes: leaving one out needs three.`);
  /** @type {Map<string, number>} */
  const chosen = new Map();
  /** @type {Map<string, number[]>} */
  const byMeasure = new Map(MEASURES.map((measure) => [measure, []]));
  /** @type {{ auroc: number, rejected: number, falseRejects: number }[]} */
  const outcomes = [];
  const started = performance.now();
  for (const left of classes) {
    const rows = train.samples.flatMap(({ label }, i) => (label === left ? [] : [i]));
    const X = selectRows(train.X, rows);
    const samples = rows.map((i) => train.samples[i]);
    const labels = samples.map((sample) => /** @type {permafrost.StoredSample} */ (sample).label);
    const refits = await refitsOf(maker, { X, labels, normalize: /** @type {'l2'} */ (normalize) });
    const { normalizer, normalized } = refits;
    const folds = trainingFolds(labels, {
      keys: samples.map((sample) => /** @type {permafrost.StoredSample} */ (sample).path),
      groups: samples.map((sample) => /** @type {permafrost.StoredSample} */ (sample).sha256),
      seed: 1,
    });
    const found = await outOfFold(refits, folds);
    const head = scaledHead(await refits.whole(), scalesProbabilities(name) ? temperatureOf(found) : undefined);
    const choice = await chooseReject(head, refits, found, { rate, seed: 1 });
    if ('reason' in choice) throw new Error(choice.reason);
    chosen.set(choice.reject.measure, (chosen.get(choice.reject.measure) ?? 0) + 1);
    /** @param {boolean} known */
    const part = (known) => {
      const at = val.samples.flatMap(({ label }, i) => ((label !== left) === known ? [i] : []));
      return permafrost.applyNormalizer(normalizer, selectRows(val.X, at));
    };
    const [known, unknown] = [part(true), part(false)];
    const [yes, no] = [
      await detectUnknown(choice.reject, head, unknown),
      await detectUnknown(choice.reject, head, known),
    ];
    outcomes.push({
      auroc: auroc(yes.scores, no.scores),
      rejected: mean(yes.unknown.map(Number)),
      falseRejects: mean(no.unknown.map(Number)),
    });
    for (const measure of MEASURES) {
      if (measure === 'energy' && head.logits === undefined) continue;
      const reference = referenceOf(measure, rowsOf(normalized, labels));
      const [strange, usual] = [
        await noveltyScores(measure, head, unknown, reference),
        await noveltyScores(measure, head, known, reference),
      ];
      byMeasure.get(measure)?.push(auroc(strange, usual));
    }
  }
  console.log(
    [
      plan,
      [...chosen].map(([measure, times]) => `${measure} (${times})`).join(', '),
      shown(mean(outcomes.map((one) => one.auroc))),
      shown(mean(outcomes.map((one) => one.rejected))),
      shown(mean(outcomes.map((one) => one.falseRejects))),
      ...[...byMeasure.values()].map((list) => (list.length === 0 ? '-' : shown(mean(list)))),
      ((performance.now() - started) / 1000).toFixed(1),
    ].join(' | '),
  );
}
