// @ts-check
/**
 * What both sides fit. `data`: rows, columns, classes and signal of make_data.py. `goal`: how many times faster than
 * scikit-learn permafrost wants to be, all of it and after the Gram matrix; null where nothing was promised.
 * `leastEqual`: the share of predictions that must be equal, by default 0.99; less where the two minimise other losses.
 * @typedef {{ name: string, data: string, task: Readonly<Record<string, unknown>>, goal: number | null, goalAfterGram?:
 *   number, leastEqual?: number }} Task
 */

/** @type {Readonly<Record<string, readonly [rows: number, columns: number, classes: number, signal: number]>>} */
export const DATA = {
  small: [245, 25088, 2, 0.45],
  pooled: [3000, 512, 5, 0.75],
  wide: [3000, 25088, 5, 0.75],
};

/**
 * @param {number} from
 * @param {number} to
 * @param {number} count
 */
const powers = (from, to, count) =>
  Array.from({ length: count }, (_, i) => 10 ** (from + ((to - from) * i) / (count - 1)));

/** scikit-learn's default stop rule. */
const tol = 1e-4;

/** @type {readonly Task[]} */
export const TASKS = [
  {
    name: 'LogisticRegressionCV, 10 C x 5 folds, 245 x 25,088, 2 classes',
    data: 'small',
    task: { kind: 'logistic-cv', tol, Cs: powers(-4, 4, 10) },
    goal: 20,
  },
  {
    name: 'LogisticRegressionCV, 5 C x 5 folds, 3,000 x 512, 5 classes',
    data: 'pooled',
    task: { kind: 'logistic-cv', tol, Cs: powers(-2, 2, 5) },
    goal: 8,
  },
  {
    name: 'LogisticRegression, C = 1, 3,000 x 25,088, 5 classes',
    data: 'wide',
    task: { kind: 'logistic', tol, C: 1 },
    goal: 3,
    goalAfterGram: 20,
  },
  {
    name: 'LogisticRegression, C = 100, 3,000 x 25,088, 5 classes',
    data: 'wide',
    task: { kind: 'logistic', tol, C: 100 },
    goal: 3,
    goalAfterGram: 20,
  },
  {
    name: 'RidgeClassifierCV, 10 alphas, leave-one-out, 245 x 25,088, 2 classes',
    data: 'small',
    task: { kind: 'ridge-cv', alphas: powers(-4, 2, 10) },
    goal: null,
  },
  {
    name: 'RidgeClassifierCV, 10 alphas, leave-one-out, 3,000 x 512, 5 classes',
    data: 'pooled',
    task: { kind: 'ridge-cv', alphas: powers(-4, 2, 10) },
    goal: null,
  },
  {
    name: 'LinearSVC, C = 1, 245 x 25,088, 2 classes',
    data: 'small',
    task: { kind: 'linear-svm', tol, C: 1 },
    goal: null,
  },
  {
    name: 'LinearSVC, C = 1, 3,000 x 512, 5 classes',
    data: 'pooled',
    task: { kind: 'linear-svm', tol, C: 1 },
    goal: null,
  },
  {
    name: 'KernelRidge, gamma 1, alpha 0.1, 3,000 x 512, 5 classes',
    data: 'pooled',
    task: { kind: 'kernel-ridge', gamma: 1, alpha: 0.1 },
    goal: null,
  },
  {
    name: 'KernelRidge, 5 gammas x 5 alphas x 5 folds, 3,000 x 512, 5 classes',
    data: 'pooled',
    task: { kind: 'kernel-ridge-cv', gammas: [0.25, 0.5, 1, 2, 4], alphas: powers(-2, 2, 5) },
    goal: null,
  },
  {
    name: 'SVC (RBF) and kernel-logistic, gamma 1, C = 10, 3,000 x 512, 5 classes',
    data: 'pooled',
    task: { kind: 'kernel-logistic', gamma: 1, C: 10, tol },
    goal: null,
    leastEqual: 0.95,
  },
];
