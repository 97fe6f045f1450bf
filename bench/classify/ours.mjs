// @ts-check
// One task of permafrost: node ours.mjs TASK DATA FOLDER. Prints one line of JSON, as peer.py does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/classify/${path}`, import.meta.url).href);
/** @type {typeof import('../../src/classify/solvers/choose-design.ts')} */
const { designForOne, designOf } = await built('solvers/choose-design.js');
/** @type {typeof import('../../src/classify/solvers/linear-fit.ts')} */
const { fitLinear, linearWeights } = await built('solvers/linear-fit.js');
/** @type {typeof import('../../src/classify/solvers/path.ts')} */
const { bestOf, chosen, crossValidatePath } = await built('solvers/path.js');
/** @type {typeof import('../../src/classify/solvers/ridge-path.ts')} */
const { ridgePath } = await built('solvers/ridge-path.js');
/** @type {typeof import('../../src/core/rows.ts')} */
const { matrixRows } = await import(new URL('../../dist/core/rows.js', import.meta.url).href);
/** @type {typeof import('../../src/classify/linalg/times.ts')} */
const { times } = await built('linalg/times.js');

const task = JSON.parse(String(process.argv[2]));
const [name, folder] = [String(process.argv[3]), String(process.argv[4])];
const description = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
const { columns, classes, folds } = description;

/** @param {string} which */
const bytes = (which) => readFileSync(join(folder, `${name}.${which}.bin`));
/** @param {string} which */
function features(which) {
  const file = bytes(which);
  const data = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4);
  return { data, rows: data.length / columns, cols: columns };
}
/** @param {string} which */
function labels(which) {
  const file = bytes(which);
  return new Int32Array(file.buffer, file.byteOffset, file.byteLength / 4);
}
const [X, y, Xval, yval] = [features('X'), labels('y'), features('Xval'), labels('yval')];

// Python has loaded its libraries when peer.py starts its clock, and numpy its BLAS; so has this, and ONNX Runtime is
// started by a graph that no fit uses: it takes some 30 ms of a process' first one.
/** @type {typeof import('../../src/core/onnxruntime.ts')} */
const { createSession } = await import(new URL('../../dist/core/onnxruntime.js', import.meta.url).href);
const nothing = { type: /** @type {const} */ ('float32'), shape: [1] };
await createSession({
  name: 'start',
  nodes: [{ op: 'Identity', inputs: ['X'], outputs: ['Y'] }],
  inputs: [{ name: 'X', ...nothing }],
  outputs: [{ name: 'Y', ...nothing }],
  initializers: [],
});

const isKernel = task.kind.startsWith('kernel');
const { fitKernel } = await import('./ours-kernels.mjs');
const LOSSES = { 'logistic-cv': 'logistic', logistic: 'logistic', 'linear-svm': 'squaredHinge' };
const stop = { tol: task.tol, maxIter: 1000 };
const startedProcessor = process.cpuUsage();
const started = performance.now();
let choice = null;
let score = null;
let fit;
/** @type {Pick<import('../../src/classify/solvers/ridge-path.ts').RidgeFit, 'weights' | 'intercept'> | undefined} */
let weights;
let problem;
/** @type {import('../../src/classify/head.ts').FittedHead | undefined} */
let head;
if (isKernel) {
  ({ choice, score, head } = await fitKernel(task, { X, y, classes, folds }));
  fit = { iterations: head.iterations, converged: head.converged, gradient: null };
} else if (task.kind === 'ridge-cv') {
  const found = await ridgePath(matrixRows(X), { y, classes, classWeight: 'none' }, task.alphas);
  choice = found.alpha;
  fit = { iterations: null, converged: true, gradient: null };
  weights = found;
} else {
  const design = await (task.kind === 'logistic-cv' ? designOf(X) : designForOne(X, { C: task.C, tol: task.tol }));
  problem = /** @type {const} */ ({
    loss: LOSSES[/** @type {keyof LOSSES} */ (task.kind)],
    y,
    classes,
    classWeight: 'none',
  });
  let C = task.C;
  if (task.kind === 'logistic-cv') {
    const best = bestOf(await crossValidatePath(design, /** @type {any} */ (problem), task.Cs, folds, stop));
    choice = best.C;
    score = best.accuracy;
    C = best.C;
  }
  fit = await fitLinear(design, /** @type {any} */ (problem), { ...stop, C });
  weights = await linearWeights(design, fit);
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(startedProcessor);

// A single fit makes what it needs for itself; what is fitted again and again, as folds and paths are, has the exact
// Gram matrix.
let secondsAfterGram = null;
if (task.kind === 'logistic') {
  const kept = await designOf(X);
  const again = performance.now();
  await linearWeights(kept, await fitLinear(kept, /** @type {any} */ (problem), { ...stop, C: task.C }));
  secondsAfterGram = (performance.now() - again) / 1000;
}

async function scoresOf() {
  if (head !== undefined) {
    const { data, cols } = await /** @type {any} */ (head).logits(Xval);
    return { k: cols, scores: Float64Array.from(data) };
  }
  const { weights: W, intercept } = /** @type {NonNullable<typeof weights>} */ (weights);
  const { data } = await times(Xval, W);
  return { k: W.cols, scores: Float64Array.from(data, (value, at) => value + Number(intercept[at % W.cols])) };
}
const { k, scores } = await scoresOf();
const predictions = Array.from({ length: Xval.rows }, (_, i) => chosen(scores, i, k));
console.log(
  JSON.stringify({
    seconds,
    processorSeconds: (user + system) / 1e6,
    secondsAfterGram,
    choice,
    score,
    predictions,
    accuracy: predictions.filter((c, i) => c === yval[i]).length / yval.length,
    iterations: fit.iterations,
    gradient: fit.gradient,
    notConverged: !fit.converged,
    versions: { node: process.version },
  }),
);
