// @ts-check
// Every head on one store: accuracy, log loss and calibration error beside what chance alone would show.
//   npm run build && node bench/classify/heads.mjs STORE [--pooling avg] [--normalize l2]
// Features in memory, trained on train, measured on val. Times are of bench/classify/run.mjs.
import { parseArgs } from 'node:util';
import { calibrationCount } from '../../dist/classify/evaluate/calibration-bins.js';
import * as permafrost from '../../dist/index.js';

const { applyNormalizer, createHead, fitNormalizer, matrixRows, metrics, openStore } = permafrost;
const HEADS = /** @type {[permafrost.HeadName, permafrost.HeadOptions][]} */ ([
  ['logistic', { C: 1 }],
  ['logistic', { C: 10 }],
  ['logistic', { C: 100 }],
  ['linear-svm', { C: 1 }],
  ['ridge', { alpha: 1 }],
  ['ridge', { alphas: '0.01,0.1,1,10,100' }],
  ['softmax', {}],
  ['mlp', {}],
  ['knn', {}],
  ['knn-hnsw', {}],
  ['centroid', {}],
  ['ml-logistic', {}],
]);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pooling: { type: 'string', default: 'avg' }, normalize: { type: 'string', default: 'l2' } },
});
const store = await openStore(positionals[0] ?? '');
const part = (/** @type {permafrost.Split} */ split) =>
  store.rows({ parts: /** @type {permafrost.Pooling} */ (values.pooling), splits: [split], memory: 'matrix' });
const [train, val] = [await part('train'), await part('val')];
const normalizer = await fitNormalizer(/** @type {permafrost.Normalization} */ (values.normalize), train, [train.cols]);
const [X, Q] = [applyNormalizer(normalizer, train.matrix), applyNormalizer(normalizer, val.matrix)];
console.log(`${train.rows} trained on, ${val.rows} validated on`);
console.log('head | accuracy | log loss | calibration error | of a perfectly calibrated head: mean | 95 % point');
for (const [name, options] of HEADS) {
  const head = await createHead(name, options).fit(matrixRows(X), train.labels);
  const P = await head.predictProba(Q);
  const truth = Int32Array.from(val.labels, (label) => head.classes.indexOf(label));
  const guess = metrics.topClass(P);
  const count = calibrationCount();
  guess.forEach((c, i) => count.add(Number(P.data[i * P.cols + c]), c === truth[i]));
  const { error, noise } = count.result();
  const figures = [metrics.accuracy(truth, guess), metrics.logLoss(truth, P), error, noise.mean, noise.most];
  console.log([`${name} ${JSON.stringify(options)}`, ...figures.map((figure) => figure.toFixed(3))].join(' | '));
}
