import type { Matrix } from '../../core/matrix.ts';
import type { Metric } from './neighbor-index.ts';

/** Euclidean length of each row, summed in float64, shape (n). */
export function lengthsOf(X: Matrix): Float64Array {
  const lengths = new Float64Array(X.rows);
  for (let i = 0, at = 0; i < X.rows; i++) {
    let squares = 0;
    for (const end = at + X.cols; at < end; at++) squares += X.data[at]! ** 2;
    lengths[i] = Math.sqrt(squares);
  }
  return lengths;
}

/** 1 - cosine, in [0, 2]. A vector of length 0 is at distance 1 from all, as in scikit-learn. */
function cosineDistance(product: number, lengthA: number, lengthB: number): number {
  const scale = lengthA * lengthB;
  return scale === 0 ? 1 : Math.min(2, Math.max(0, 1 - product / scale));
}

/** The distance of two vectors of known lengths, in float64: 1 - cosine, or Euclidean. */
export function distance(
  metric: Metric,
  a: Float32Array,
  b: Float32Array,
  lengthA: number,
  lengthB: number,
): number {
  let sum = 0;
  if (metric === 'cosine') {
    for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
    return cosineDistance(sum, lengthA, lengthB);
  }
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

/** A number that orders vectors as their distances do, from the inner product: 1 - cosine, or the square of the Euclidean distance. */
export function productDistance(metric: Metric, product: number, lengthA: number, lengthB: number): number {
  return metric === 'cosine'
    ? cosineDistance(product, lengthA, lengthB)
    : lengthA ** 2 + lengthB ** 2 - 2 * product;
}

/**
 * How far `productDistance` may be off when the inner product of d terms was summed in float32: 4·sqrt(d)·2^-24 of the product of
 * the lengths (the probabilistic bound of Higham and Mary, 2019, with lambda = 4).
 */
export function productRounding(metric: Metric, d: number, lengthA: number, lengthB: number): number {
  const relative = 4 * Math.sqrt(d) * 2 ** -24;
  return metric === 'cosine' ? relative : 2 * relative * lengthA * lengthB;
}
