// @ts-check
// How near are the exact heads to the true optimum on wide rows, and how near is scikit-learn?
//   npm run build && node bench/classify/exact.mjs [--scale 1,100] [--C 1,100,10000]
// 245 x 25,088 rows as of two classes of photographs, of length 1 and times `scale`. The truth is a solve in float64
// throughout that shares no code with either side (exact_peer.py). All sides run at their tightest tolerance and answer
// for the same held-out rows; told is the largest difference of a probability (logistic) or of a decision value (the
// others). Writes bench/results/exact-<time>.json.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';
import { peerPython } from '../peer-environment.mjs';
import { DATA } from './tasks.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
/** @type {typeof import('../../src/classify/heads/index.ts')} */
const { headEntry } = await import(new URL('../../dist/classify/heads/index.js', import.meta.url).href);
/** @type {typeof import('../../src/index.ts')} */
const { matrixRows } = await import(new URL('../../dist/index.js', import.meta.url).href);

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1,100' }, C: { type: 'string', default: '1,100,10000' } },
});
const numbers = (/** @type {string} */ list) => list.split(',').map(Number);
const python = peerPython('classify', 'scikit-learn: 0.3 GB');
const here = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'permafrost-bench-exact-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const [rows, columns, classes, signal] = DATA['small'] ?? [];
execFileSync(python, [here('make_data.py'), ...[rows, columns, classes].map(String), 'small', folder, String(signal)]);

/** @param {string} which @param {number} scale */
function features(which, scale) {
  const file = readFileSync(join(folder, `small.${which}.bin`));
  const data = new Float32Array(file.buffer, file.byteOffset, file.byteLength / 4).map((x) => x * scale);
  return { data, rows: data.length / Number(columns), cols: Number(columns) };
}
const labelFile = readFileSync(join(folder, 'small.y.bin'));
const y = Array.from(new Int32Array(labelFile.buffer, labelFile.byteOffset, labelFile.byteLength / 4), String);

/** @param {string} head @param {number} score */
const answer = (head, score) => (head === 'logistic' ? 1 / (1 + Math.exp(-score)) : score);
/** @param {string} head @param {ArrayLike<number>} found @param {readonly number[]} truth */
const apart = (head, found, truth) =>
  truth.reduce((most, value, i) => Math.max(most, Math.abs(answer(head, Number(found[i])) - answer(head, value))), 0);

const results = [];
let versions = {};
for (const scale of numbers(values.scale)) {
  execFileSync(python, [here('exact_peer.py'), folder, 'small', String(scale), ...numbers(values.C).map(String)]);
  /**
   * @type {{ spread: number, versions: object, results: { head: string, C: number, reference: number[], scikitLearn:
   *   Record<string, number[]> }[] }}
   */
  const peer = JSON.parse(readFileSync(join(folder, 'exact.json'), 'utf8'));
  versions = peer.versions;
  const [X, Xval] = [features('X', scale), features('Xval', scale)];
  for (const { head, C, reference, scikitLearn } of peer.results) {
    const strength = head === 'ridge' ? { alpha: 1 / C } : { C };
    const fitted = await headEntry(head)
      .create({ ...strength, tol: 1e-15 * scale, maxIter: 1000 })
      .fit(matrixRows(X), y);
    const scores = await fitted.logits?.(Xval);
    const line = {
      head,
      C,
      scale,
      spread: peer.spread,
      permafrost: apart(head, scores?.data ?? [], reference),
      ...Object.fromEntries(
        Object.entries(scikitLearn).map(([solver, found]) => [solver, apart(head, found, reference)]),
      ),
    };
    results.push(line);
    const { permafrost, ...others } = line;
    console.log(
      `length ${scale}, ${head}, C = ${C} (C times the spread: ${(C * peer.spread).toExponential(1)}): permafrost ${permafrost.toExponential(1)}` +
        Object.keys(scikitLearn)
          .map((solver) => `, scikit-learn ${solver} ${Number(others[/** @type {'C'} */ (solver)]).toExponential(1)}`)
          .join(''),
    );
  }
}
console.log(
  writeReport('exact', {
    question: 'How near are the exact heads to the true optimum, and how near is scikit-learn?',
    peers: versions,
    results,
  }),
);
