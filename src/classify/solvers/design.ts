import type { Matrix } from '../../core/matrix.ts';
import { matrix } from '../../core/matrix.ts';
import { timesExact, transposedTimesExact } from '../linalg-exact.ts';
import { times, timesTransposed, transposedTimes } from '../linalg.ts';
import { columnMeans } from '../normalize.ts';

/**
 * A weight matrix W (d, k) as a solver holds it: coefficients in the design's own basis, shape (size, k), and its scores
 * Xc·W on the centred training rows, shape (n, k). Row-major float64.
 */
export interface Element {
  readonly coef: Float64Array;
  readonly scores: Float64Array;
}

/**
 * The training rows as a linear solver sees them. The columns are centred (Xc = X - mean): with a free intercept the problem
 * is the same, and far better conditioned for features that are never negative, as those after a ReLU are.
 */
export interface Design {
  readonly rows: number;
  /** Coefficients for each class. */
  readonly size: number;
  /** Euclidean length of the column means, 0 for centred features. */
  readonly meanLength: number;
  /** Mean squared length of the centred rows. */
  readonly spread: number;
  /** Xc·W in float32, for curvature, where rounding only costs an iteration. */
  scores(coef: Float64Array, k: number): Promise<Float64Array>;
  /** Xc·W in float64, for gradients. */
  scoresExact(coef: Float64Array, k: number): Promise<Float64Array>;
  /** The coefficients of Xcᵀ·R, R of shape (n, k). */
  adjoint(R: Float64Array, k: number): Promise<Float64Array>;
  adjointExact(R: Float64Array, k: number): Promise<Float64Array>;
  /** The inner product of two weight matrices, summed over all classes. */
  inner(a: Element, b: Element): number;
  /** An upper bound of the largest absolute weight of an element. */
  largest(a: Element): number;
  /** The weights (d, k) of `coef`, and what the centring moved into the scores of an uncentred row: mean·W, shape (k). */
  weights(coef: Float64Array, k: number): Promise<{ weights: Matrix; offset: Float64Array }>;
}

/** The design of X (n, d): by its columns when d <= n, else in the span of its rows. */
export function designOf(X: Matrix): Promise<Design> {
  // A Gram matrix must stay below 2^31 bytes.
  return X.cols > X.rows && X.rows ** 2 < 2 ** 29 ? rowDesign(X) : Promise.resolve(columnDesign(X));
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
const narrow = (data: Float64Array, k: number): Matrix => matrix(data.length / k, k, Float32Array.from(data));

/** Coefficients are the weights themselves: size = d. */
function columnDesign(X: Matrix): Design {
  const mean = columnMeans(X);
  const centreScores = (scores: Float64Array, coef: Float64Array, k: number) => {
    const offset = meanScores(coef, k);
    for (let i = 0, at = 0; i < X.rows; i++) for (let c = 0; c < k; c++) scores[at++]! -= offset[c]!;
    return scores;
  };
  const meanScores = (coef: Float64Array, k: number) => {
    const out = new Float64Array(k);
    for (let j = 0, at = 0; j < X.cols; j++) for (let c = 0; c < k; c++) out[c]! += mean[j]! * coef[at++]!;
    return out;
  };
  const centreAdjoint = (coef: Float64Array, R: Float64Array, k: number) => {
    const sums = columnSums(R, k);
    for (let j = 0, at = 0; j < X.cols; j++) for (let c = 0; c < k; c++) coef[at++]! -= mean[j]! * sums[c]!;
    return coef;
  };
  let squares = 0;
  for (let at = 0; at < X.data.length; at++) squares += X.data[at]! ** 2;
  const meanSquare = dot(mean, mean);
  return {
    rows: X.rows,
    size: X.cols,
    meanLength: Math.sqrt(meanSquare),
    spread: Math.max(0, squares / X.rows - meanSquare),
    scores: async (coef, k) => {
      const product = await times(X, narrow(coef, k));
      return centreScores(Float64Array.from(product.data), coef, k);
    },
    scoresExact: async (coef, k) => centreScores(await timesExact(X, coef, k), coef, k),
    adjoint: async (R, k) => {
      const product = await transposedTimes(X, narrow(R, k));
      return centreAdjoint(Float64Array.from(product.data), R, k);
    },
    adjointExact: async (R, k) => centreAdjoint(await transposedTimesExact(X, R, k), R, k),
    inner: (a, b) => dot(a.coef, b.coef),
    largest: (a) => a.coef.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    weights: (coef, k) => Promise.resolve({ weights: narrow(coef, k), offset: meanScores(coef, k) }),
  };
}

/**
 * For d > n. The optimum of an L2-penalised linear model lies in the span of the training rows, W = Xcᵀ·A (the representer
 * theorem: Kimeldorf and Wahba 1971; Schölkopf, Herbrich and Smola 2001). The Gram matrix G = Xc·Xcᵀ is computed once; from then on
 * a product costs n² and no longer n·d. Coefficients are A: size = n, and the inner product of two elements is Aᵀ·G·B.
 */
async function rowDesign(X: Matrix): Promise<Design> {
  const n = X.rows;
  const gram = await timesTransposed(X, X);
  const means = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++) for (let j = 0; j < n; j++) means[i]! += gram.data[at++]! / n;
  const grand = means.reduce((sum, value) => sum + value, 0) / n;
  let trace = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = gram.data[i * n + j]! - means[i]! - means[j]! + grand;
      gram.data[i * n + j] = value;
      gram.data[j * n + i] = value;
      if (i === j) trace += value;
    }
  }
  return {
    rows: n,
    size: n,
    meanLength: Math.sqrt(Math.max(0, grand)),
    spread: Math.max(0, trace / n),
    scores: async (coef, k) => Float64Array.from((await times(gram, narrow(coef, k))).data),
    scoresExact: (coef, k) => timesExact(gram, coef, k),
    adjoint: (R) => Promise.resolve(R),
    adjointExact: (R) => Promise.resolve(R),
    inner: (a, b) => dot(a.coef, b.scores),
    largest: (a) => Math.sqrt(Math.max(0, dot(a.coef, a.scores))),
    weights: async (coef, k) => {
      // Xcᵀ·A = Xᵀ·(A - its column means).
      const sums = columnSums(coef, k);
      const centred = coef.map((value, at) => value - sums[at % k]! / n);
      const offset = new Float64Array(k);
      for (let i = 0, at = 0; i < n; i++)
        for (let c = 0; c < k; c++) offset[c]! += means[i]! * centred[at++]!;
      return { weights: await transposedTimes(X, narrow(centred, k)), offset };
    },
  };
}

/** Sum of each of the k columns. */
export function columnSums(data: Float64Array, k: number): Float64Array {
  const sums = new Float64Array(k);
  for (let at = 0; at < data.length; at++) sums[at % k]! += data[at]!;
  return sums;
}
