import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { type Matrix, matrix, row } from '../../core/matrix.ts';
import { type OptionsOf, integerOption, numberOption, resolveOptions } from '../../core/options.ts';
import { checkAborted, checkFit, checkPredict, requireMatrix } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { timesTransposed, transposedTimes } from '../linalg/times.ts';
import { type FittedFacts, factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { softmaxRows } from './linear.ts';

/** Options of the head `ml-logistic`: the package's own names. */
export const ML_LOGISTIC_OPTIONS = {
  // 1.3 s on 244 x 512 with two classes, 35 s on 2,934 x 512 with five; the package's default takes 167 times that.
  numSteps: integerOption(300, 'gradient steps for each class (the package takes 50000 by default)', { min: 1 }),
  learningRate: numberOption(5e-4, "step length on the summed gradient, the package's default", { above: 0 }),
};

/** Wider rows would take the package hours: its plain loops touch each value twice a step. */
const MOST_FEATURES = 4096;
/** Why it cannot be fitted block by block. */
const IN_MEMORY_ONLY = 'it takes all rows at once';
/** A mean gradient that scikit-learn's default tol would accept. */
const CONVERGED = 1e-4;

/**
 * The package ml-logistic-regression as it is, to compare with: one classifier a class, a fixed number of gradient
 * steps, no intercept, penalty or test of convergence. `fit` throws FIT_INVALID above 4096 columns, PACKAGE_MISSING. It
 * blocks the event loop: an abort shows only before it starts.
 */
export function mlLogisticHead(options: Partial<OptionsOf<typeof ML_LOGISTIC_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "ml-logistic"', ML_LOGISTIC_OPTIONS, options);
  return {
    name: 'ml-logistic',
    params,
    inMemoryOnly: IN_MEMORY_ONLY,
    async fit(rows, y, context) {
      const X = requireMatrix('The head "ml-logistic"', rows, IN_MEMORY_ONLY);
      const { classes, indices } = checkFit(X, y);
      if (X.cols > MOST_FEATURES) {
        throw new PermafrostError(
          'FIT_INVALID',
          `The head "ml-logistic" takes at most ${MOST_FEATURES} features a row, these have ${X.cols}. Use pooled features (--pooling avg), or the head "logistic", which fits any width.`,
        );
      }
      checkAborted(context);
      const weights = await train(X, indices, params);
      const steepest = await largestGradient(X, indices, weights);
      const converged = steepest <= CONVERGED;
      const facts: FittedFacts = {
        name: 'ml-logistic',
        params,
        classes,
        features: X.cols,
        converged,
        iterations: params.numSteps,
        notes: converged
          ? []
          : [
              `not converged: the largest absolute mean gradient is ${steepest.toExponential(2)} after ${params.numSteps} steps, and the package has no stop rule`,
            ],
      };
      return fittedOneVsRest(facts, weights);
    },
  };
}

/** The head in `state`, for which the package is not needed. Throws HEAD_CORRUPT. */
export function loadMlLogistic(state: HeadState): FittedHead {
  const facts = factsOf(state);
  return fittedOneVsRest(facts, matrixOf(state, 'weights', facts.classes.length, facts.features));
}

async function train(X: Matrix, indices: Int32Array, params: OptionsOf<typeof ML_LOGISTIC_OPTIONS>): Promise<Matrix> {
  const [{ default: LogisticRegression }, { Matrix: MlMatrix }] = await loadPackages();
  const model = new LogisticRegression(params);
  const rows = Array.from({ length: X.rows }, (_, i) => row(X, i));
  model.train(new MlMatrix(rows), MlMatrix.columnVector(indices));
  return matrix(
    model.classifiers.length,
    X.cols,
    Float32Array.from(model.classifiers.flatMap(({ weights }) => weights.to1DArray())),
  );
}

function loadPackages() {
  return Promise.all([import('ml-logistic-regression'), import('ml-matrix')]).catch((cause: unknown) => {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `ml-logistic-regression or ml-matrix does not load: ${reasonOf(cause)}. Run "npm ci" again; the head "logistic" does without them.`,
      { cause },
    );
  });
}

/** The largest absolute mean gradient of all the one-against-the-rest losses. `weights` (classes, d). */
async function largestGradient(X: Matrix, indices: Int32Array, weights: Matrix): Promise<number> {
  const k = weights.rows;
  const errors = await timesTransposed(X, weights);
  for (let at = 0; at < errors.data.length; at++) {
    const rest = Number(indices[Math.floor(at / k)] !== at % k);
    errors.data[at] = (1 / (1 + Math.exp(-errors.data[at]!)) - rest) / X.rows;
  }
  const gradient = await transposedTimes(errors, X);
  return gradient.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/**
 * Classifier c gives 1 / (1 + exp(-s)), its probability that a row is not of class c. That of class c is one minus that
 * over the sum of all, as scikit-learn's OneVsRestClassifier; the likeliest is the package's answer. By logarithms, so
 * that classifiers which all say no still have an order.
 */
function fittedOneVsRest(facts: FittedFacts, weights: Matrix): FittedHead {
  return {
    ...facts,
    async predictProba(X) {
      checkPredict('The head "ml-logistic"', X, facts.features);
      const logits = await timesTransposed(X, weights);
      // ln(1 - sigmoid(s)), with the exponential of a negative number only.
      const logs = logits.data.map((s) => -Math.max(s, 0) - Math.log1p(Math.exp(-Math.abs(s))));
      return softmaxRows({ ...logits, data: logs });
    },
    state: stateOf(facts, new Map([['weights', tensorOf(weights)]])),
  };
}
