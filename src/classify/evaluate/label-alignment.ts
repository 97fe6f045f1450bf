import type { Matrix } from '../../core/matrix.ts';
import { studentTwoSided } from './distributions.ts';
import { checkLengths } from './metrics.ts';

/** How well rows and their classes agree, as a whole and without each of some groups of rows. */
export interface Alignment {
  /** -1 to 1; 0 where the rows tell nothing of the classes, 1 where rows are equal exactly within a class. */
  readonly value: number;
  /** Without each group, shape (groups). */
  readonly without: Float64Array;
}

/** Groups that are left out in turn. */
const GROUPS = 50;

/** Centred alignment of two symmetric kernels on some of their rows: that of HKH and HTH, H taking off the mean. */
function centredAlignment(K: Float64Array, T: Float64Array, n: number, rows: readonly number[]): number {
  let [kk, kt, tt, sumK, sumT, rowsKK, rowsKT, rowsTT] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const i of rows) {
    let [rowK, rowT] = [0, 0];
    for (const j of rows) {
      const [k, t] = [K[i * n + j]!, T[i * n + j]!];
      kk += k * k;
      kt += k * t;
      tt += t * t;
      rowK += k;
      rowT += t;
    }
    sumK += rowK;
    sumT += rowT;
    rowsKK += rowK * rowK;
    rowsKT += rowK * rowT;
    rowsTT += rowT * rowT;
  }
  const m = rows.length;
  const centred = (products: number, ofRows: number, ofAll: number): number =>
    products - (2 / m) * ofRows + ofAll / m ** 2;
  const scale = Math.sqrt(centred(kk, rowsKK, sumK ** 2) * centred(tt, rowsTT, sumT ** 2));
  return scale > 1e-12 ? centred(kt, rowsKT, sumK * sumT) / scale : 0;
}

/**
 * The centred alignment of the inner products of rows X (n, d) with their classes (n): how far rows of one class lie
 * together and others apart, whatever their scale (Cortes, Mohri and Rostamizadeh 2012, Journal of Machine Learning
 * Research 13:795, definition 4). Keeps two (n, n) matrices in float64 while it works. Throws FIT_INVALID.
 */
export function labelAlignment(X: Matrix, classes: Int32Array): Alignment {
  checkLengths(classes.length, X.rows);
  const n = X.rows;
  const K = new Float64Array(n * n);
  const T = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const a = X.data.subarray(i * X.cols, (i + 1) * X.cols);
    for (let j = i; j < n; j++) {
      let product = 0;
      for (let c = 0, at = j * X.cols; c < X.cols; c++, at++) product += a[c]! * X.data[at]!;
      K[i * n + j] = K[j * n + i] = product;
      T[i * n + j] = T[j * n + i] = Number(classes[i] === classes[j]);
    }
  }
  const all = Array.from({ length: n }, (_, i) => i);
  const groups = Math.min(GROUPS, n);
  return {
    value: centredAlignment(K, T, n, all),
    without: Float64Array.from({ length: groups }, (_, g) =>
      centredAlignment(
        K,
        T,
        n,
        all.filter((i) => i % groups !== g),
      ),
    ),
  };
}

/**
 * Two-sided p-value of "both are aligned equally" for two alignments of the same images, by the jackknife of their
 * difference (Efron and Tibshirani 1993, chapter 11): an image changes its similarity to all others, so images are no
 * independent terms of a sum. Throws FIT_INVALID for other groups.
 */
export function pairedJackknife(first: Alignment, second: Alignment): number {
  checkLengths(first.without.length, second.without.length);
  const groups = first.without.length;
  const differences = Float64Array.from(first.without, (value, g) => value - second.without[g]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / groups;
  const squares = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const difference = first.value - second.value;
  if (difference === 0 || groups < 2) return 1;
  const error = Math.sqrt(((groups - 1) / groups) * squares);
  return error === 0 ? 0 : studentTwoSided(difference / error, groups - 1);
}
