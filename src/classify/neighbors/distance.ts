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

/** Inner product in float64. Four sums side by side: one would wait for each addition before the next. */
function innerProduct(a: Float32Array, b: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const even = a.length & ~3;
  for (let i = 0; i < even; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (let i = even; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + (s2 + s3);
}

/** Sum of the squares of the differences, as `innerProduct` sums. */
function squaredDifference(a: Float32Array, b: Float32Array): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  const even = a.length & ~3;
  for (let i = 0; i < even; i += 4) {
    const [d0, d1, d2, d3] = [a[i]! - b[i]!, a[i + 1]! - b[i + 1]!, a[i + 2]! - b[i + 2]!, a[i + 3]! - b[i + 3]!];
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (let i = even; i < a.length; i++) s0 += (a[i]! - b[i]!) ** 2;
  return s0 + s1 + (s2 + s3);
}

/** The distance of two vectors of known lengths, in float64: 1 - cosine, or Euclidean. */
export function distance(metric: Metric, a: Float32Array, b: Float32Array, lengthA: number, lengthB: number): number {
  return metric === 'cosine'
    ? cosineDistance(innerProduct(a, b), lengthA, lengthB)
    : Math.sqrt(squaredDifference(a, b));
}

/** Orders vectors as their distances do, from the inner product: 1 - cosine, or the squared Euclidean distance. */
export function productDistance(metric: Metric, product: number, lengthA: number, lengthB: number): number {
  return metric === 'cosine' ? cosineDistance(product, lengthA, lengthB) : lengthA ** 2 + lengthB ** 2 - 2 * product;
}

/** The longest and the shortest of some vectors; of the shortest those of length 0 are left out. */
export interface Extent {
  readonly longest: number;
  readonly shortest: number;
}

export function extentOf(lengths: Float64Array): Extent {
  let [longest, shortest] = [0, Infinity];
  for (const length of lengths) {
    if (length > longest) longest = length;
    if (length > 0 && length < shortest) shortest = length;
  }
  return { longest, shortest };
}

/**
 * The error bound of a float32 inner product of d terms, summed in any order, over the product of the lengths: d·u / (1
 * - d·u), u = 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1, with Cauchy and
 * Schwarz), and 2^-125 for each product too small for a normal number. Infinity where it could overflow.
 */
export function productError(d: number, length: number, { longest, shortest }: Extent): number {
  if (length === 0 || longest === 0) return 0;
  if (Math.max(length, longest) > 2 ** 62) return Infinity;
  const relative = (d * 2 ** -24) / (1 - d * 2 ** -24);
  return relative + (d * 2 ** -125) / (length * shortest);
}

/**
 * The least distance, as by `distance`, of a vector whose score with a query of length `length` is at most `score`: the
 * cosine, or q·x - |x|²/2. Float64 rounding on d terms is taken off.
 */
export function distanceOfScore(metric: Metric, score: number, d: number, length: number, longest: number): number {
  const rounding = d * 2 ** -51;
  if (metric === 'cosine') return 1 - score - rounding;
  const square = length ** 2 - 2 * score - rounding * (length ** 2 + longest ** 2);
  return square > 0 ? Math.sqrt(square) * (1 - rounding) : 0;
}
