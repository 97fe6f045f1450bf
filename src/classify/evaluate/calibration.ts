import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, matrix, row } from '../../core/matrix.ts';
import { CALIBRATION_BINS, calibrationCount } from './calibration-bins.ts';
import { checkLengths, topClass } from './metrics.ts';

/**
 * Expected calibration error: |accuracy - top probability| averaged over `bins` intervals ((m - 1) / bins, m / bins] of
 * the top probability, weighted by rows (Guo et al. 2017, arXiv 1706.04599, equation 3). P: (n, classes). NaN for no
 * rows.
 */
export function expectedCalibrationError(truth: Int32Array, P: Matrix, bins = CALIBRATION_BINS): number {
  checkLengths(truth.length, P.rows);
  const count = calibrationCount(bins);
  topClass(P).forEach((c, i) => count.add(P.data[i * P.cols + c]!, c === truth[i]));
  return count.result().error;
}

/** A probability of 0 would have no logarithm: the least positive float32. */
const LEAST = 2 ** -149;
/** Temperatures that are looked at: beyond, every answer is as good as certain, or as good as a guess. */
const COLDEST = 0.01;
const HOTTEST = 100;

/**
 * The temperature T for which softmax(ln(P) / T) has the least log loss (Guo et al. 2017, section 4.2): above 1 the
 * head was too sure. Fit it on rows that the head was not trained on. Between 0.01 and 100; no class' rank changes.
 * Throws FIT_INVALID for no rows.
 */
export function fitTemperature(truth: Int32Array, P: Matrix): number {
  checkLengths(truth.length, P.rows);
  if (P.rows === 0) throw new PermafrostError('FIT_INVALID', 'A temperature needs rows to be fitted on.');
  // The loss is convex in 1 / T, so that its slope there changes sign once.
  let [low, high] = [Math.log(1 / HOTTEST), Math.log(1 / COLDEST)];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (slopeAt(Math.exp(middle), truth, P) < 0) low = middle;
    else high = middle;
  }
  return Math.exp(-(low + high) / 2);
}

/** The log loss' derivative by 1 / T: mean over the rows of the expected less the true logarithm. */
function slopeAt(inverse: number, truth: Int32Array, P: Matrix): number {
  let slope = 0;
  for (let i = 0; i < P.rows; i++) {
    const logs = Float64Array.from(row(P, i), (p) => Math.log(Math.max(LEAST, p)));
    const most = Math.max(...logs);
    let sum = 0;
    let expected = 0;
    for (const z of logs) {
      const e = Math.exp(inverse * (z - most));
      sum += e;
      expected += e * z;
    }
    slope += expected / sum - logs[truth[i]!]!;
  }
  return slope / P.rows;
}

/** softmax(ln(P) / temperature) of each row, shape (n, classes), a new matrix. */
export function applyTemperature(P: Matrix, temperature: number): Matrix {
  const out = matrix(P.rows, P.cols);
  for (let i = 0; i < P.rows; i++) {
    const logs = Float64Array.from(row(P, i), (p) => Math.log(Math.max(LEAST, p)) / temperature);
    const most = Math.max(...logs);
    const e = logs.map((z) => Math.exp(z - most));
    const sum = e.reduce((total, value) => total + value, 0);
    e.forEach((value, c) => (out.data[i * P.cols + c] = value / sum));
  }
  return out;
}
