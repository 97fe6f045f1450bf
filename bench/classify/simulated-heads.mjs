// @ts-check
// Heads that are equally good by construction, for intervals.mjs and tests.mjs.
import * as permafrost from '../../dist/index.js';
import { random } from '../../dist/core/random.js';
import { rowLosses, topClass } from '../../dist/classify/evaluate/metrics.js';

const { createHead, matrix, matrixRows, selectRows, stratifiedKFold } = permafrost;

/** @typedef {{ guess: Int32Array, losses: Float64Array, P: permafrost.Matrix }} Answers */

/**
 * `heads` exchangeable heads on the same rows: a row's difficulty is shared by all, the rest is each head's own. Their
 * true figures are equal, whatever those are. `sizes`: rows of each class.
 * @param {{ sizes: readonly number[], heads: number, margin: number, own: number, seed: number }} task
 */
export function exchangeable({ sizes, heads, margin, own, seed }) {
  const source = random(seed);
  const truth = Int32Array.from(sizes.flatMap((size, c) => Array(size).fill(c)));
  const k = sizes.length;
  const shared = Float64Array.from(truth, () => source.normal());
  const answers = Array.from({ length: heads }, () => {
    const P = matrix(truth.length, k);
    truth.forEach((c, i) => {
      const logits = Float64Array.from(
        { length: k },
        (_, j) => (j === c ? margin + 1.5 * Number(shared[i]) : 0) + own * source.normal(),
      );
      const most = Math.max(...logits);
      const e = logits.map((z) => Math.exp(z - most));
      const sum = e.reduce((a, b) => a + b, 0);
      e.forEach((value, j) => (P.data[i * k + j] = value / sum));
    });
    return { guess: topClass(P), losses: rowLosses(truth, P), P };
  });
  return { truth, answers };
}

/**
 * Two Gaussian classes whose features come in `blocks` exchangeable blocks of `width`: a head on one block is as good
 * as the same head on another.
 * @param {{ rows: number, blocks: number, width: number, distance: number, seed: number }} task
 */
export function gaussianBlocks({ rows, blocks, width, distance, seed }) {
  const source = random(seed);
  const y = Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 'a' : 'b'));
  const shift = distance / 2 / Math.sqrt(width);
  const X = Array.from({ length: blocks }, () =>
    matrix(
      rows,
      width,
      Float32Array.from({ length: rows * width }, (_, at) => {
        const side = Math.floor(at / width) % 2 === 0 ? -1 : 1;
        return source.normal() + side * shift;
      }),
    ),
  );
  return { X, y };
}

/**
 * Held-out answers of a head in folds, and the folds' heads.
 * @param {string} name @param {permafrost.HeadOptions} options @param {permafrost.Matrix} X @param {string[]} y
 * @param {{ folds: number, seed: number }} task
 */
export async function crossValidated(name, options, X, y, { folds: nSplits, seed }) {
  const folds = stratifiedKFold(y, { keys: y.map((_, i) => String(i)), nSplits, seed });
  const truth = Int32Array.from(y, (label) => Number(label === 'b'));
  const P = matrix(X.rows, 2);
  const fitted = [];
  for (const { train, val } of folds) {
    const head = await createHead(/** @type {permafrost.HeadName} */ (name), options).fit(
      matrixRows(selectRows(X, train)),
      train.map((i) => String(y[i])),
    );
    fitted.push(head);
    const answers = await head.predictProba(selectRows(X, val));
    val.forEach((i, v) => P.data.set(answers.data.subarray(2 * v, 2 * v + 2), 2 * i));
  }
  return { truth, folds, fitted, P, guess: topClass(P), losses: rowLosses(truth, P) };
}
