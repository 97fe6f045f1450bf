// @ts-check
// The tasks of ours.mjs with a Gaussian kernel: by the heads, and by the cross-validation that a sweep runs.

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/classify/${path}`, import.meta.url).href);
/** @type {typeof import('../../src/classify/heads/index.ts')} */
const { createHead } = await built('heads/index.js');
/** @type {typeof import('../../src/classify/cross-validation/families.ts')} */
const { familiesOf, planOf } = await built('cross-validation/families.js');
/** @type {typeof import('../../src/classify/cross-validation/fold-features.ts')} */
const { foldFeatures } = await built('cross-validation/fold-features.js');
/** @type {typeof import('../../src/classify/cross-validation/held-out.ts')} */
const { heldOut } = await built('cross-validation/held-out.js');
/** @type {typeof import('../../src/classify/evaluate/metrics.ts')} */
const { accuracy, topClass } = await built('evaluate/metrics.js');
/** @type {typeof import('../../src/core/rows.ts')} */
const { matrixRows } = await import(new URL('../../dist/core/rows.js', import.meta.url).href);

/**
 * @param {any} task
 * @param {{ X: any, y: Int32Array, classes: number, folds: any }} data
 */
export async function fitKernel(task, { X, y, classes, folds }) {
  const names = Array.from({ length: classes }, (_, c) => String(c).padStart(3, '0'));
  const labels = Array.from(y, (c) => String(names[c]));
  const fit = (/** @type {any} */ name, /** @type {any} */ options) =>
    createHead(name, options).fit(matrixRows(X), labels);
  if (task.kind === 'kernel-logistic') {
    const { gamma, C, tol } = task;
    return { choice: null, score: null, head: await fit('kernel-logistic', { gamma, C, tol }) };
  }
  if (task.kind === 'kernel-ridge') {
    return { choice: null, score: null, head: await fit('kernel-ridge', { gamma: task.gamma, alpha: task.alpha }) };
  }
  const plans = task.gammas.flatMap((/** @type {number} */ gamma) =>
    task.alphas.map((/** @type {number} */ alpha) => planOf('kernel-ridge', { gamma, alpha })),
  );
  const features = foldFeatures(X, { normalize: 'none', pca: 0 }, folds);
  let best = { score: -1, params: /** @type {any} */ ({}) };
  for (const family of familiesOf(plans)) {
    for await (const found of heldOut(family, features, { y, classes: names })) {
      if ('problem' in found) throw new Error(found.problem);
      const guess = topClass(found.P);
      const ofFold = folds.map((/** @type {{ val: number[] }} */ { val }) =>
        accuracy(
          Int32Array.from(val, (i) => Number(y[i])),
          Int32Array.from(val, (i) => Number(guess[i])),
        ),
      );
      const score =
        ofFold.reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0) / folds.length;
      if (score > best.score) best = { score, params: found.plan.params };
    }
  }
  const { gamma, alpha } = best.params;
  return { choice: alpha, score: best.score, head: await fit('kernel-ridge', { gamma, alpha }) };
}
