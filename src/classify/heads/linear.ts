import { type Matrix, matrix } from '../../core/matrix.ts';
import { checkPredict } from '../checks.ts';
import type { FittedHead, HeadState } from '../head.ts';
import { times } from '../linalg/times.ts';
import { type FittedFacts, factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';

/**
 * A fitted linear head: s = X·weights + intercept, weights (features, k), intercept (1, k). k = 1: class 1 has the
 * probability 1 / (1 + exp(-s)); k = classes: softmax(s). `more` goes into the state's JSON.
 */
export function fittedLinear(
  facts: FittedFacts,
  weights: Matrix,
  intercept: Float32Array,
  more: HeadState['json'] = {},
): FittedHead {
  const products = (X: Matrix): Promise<Matrix> => {
    checkPredict(`The head "${facts.name}"`, X, facts.features);
    return times(X, weights);
  };
  return {
    ...facts,
    predictProba: async (X) => linearProbabilities(await products(X), intercept),
    async logits(X) {
      const { data, rows, cols } = await products(X);
      return matrix(
        rows,
        cols,
        data.map((s, at) => s + intercept[at % cols]!),
      );
    },
    state: stateOf(
      facts,
      new Map([
        ['weights', tensorOf(weights)],
        ['intercept', { shape: [1, weights.cols], data: intercept }],
      ]),
      more,
    ),
  };
}

/** The linear head in `state`. Throws HEAD_CORRUPT. */
export function loadLinear(state: HeadState): FittedHead {
  const facts = factsOf(state);
  const binomial = facts.classes.length === 2 && state.tensors.get('weights')?.shape[1] === 1;
  const k = binomial ? 1 : facts.classes.length;
  const weights = matrixOf(state, 'weights', facts.features, k);
  return fittedLinear(facts, weights, matrixOf(state, 'intercept', 1, k).data, state.json);
}

/** Logits without the intercept, shape (n, k), as probabilities (n, classes), computed in float64. */
export function linearProbabilities(logits: Matrix, intercept: Float32Array): Matrix {
  if (logits.cols > 1) return softmaxRows(logits, intercept);
  const out = matrix(logits.rows, 2);
  for (let i = 0; i < logits.rows; i++) {
    const s = logits.data[i]! + intercept[0]!;
    const small = Math.exp(-Math.abs(s));
    const likelier = 1 / (1 + small);
    // The smaller probability is not 1 - the larger: that would lose every digit of a small one.
    out.data[2 * i + (s > 0 ? 1 : 0)] = likelier;
    out.data[2 * i + (s > 0 ? 0 : 1)] = small * likelier;
  }
  return out;
}

/** softmax(logits + shift) of each row, in float64, shape (n, k). */
export function softmaxRows(logits: Matrix, shift?: ArrayLike<number>): Matrix {
  const k = logits.cols;
  const out = matrix(logits.rows, k);
  const e = new Float64Array(k);
  for (let i = 0; i < logits.rows; i++) {
    let most = -Infinity;
    for (let c = 0; c < k; c++) {
      e[c] = logits.data[i * k + c]! + (shift?.[c] ?? 0);
      most = Math.max(most, e[c]!);
    }
    let sum = 0;
    for (let c = 0; c < k; c++) sum += e[c] = Math.exp(e[c]! - most);
    for (let c = 0; c < k; c++) out.data[i * k + c] = e[c]! / sum;
  }
  return out;
}
