import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, matrix } from '../../core/matrix.ts';
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
 * The temperature T for which softmax(ln(P + leastShare) / T) has the least log loss (Guo et al. 2017, section 4.2):
 * above 1 the head was too sure. Fit it on rows that the head was not trained on. Between 0.01 and 100; no class' rank
 * changes. `leastShare`: FittedHead's, 0 by default. `smoothing`: how much of each row's truth the other classes get,
 * by default 0; without it the answers that are all right have no optimum. Throws FIT_INVALID for no rows.
 */
export function fitTemperature(
  truth: Int32Array,
  P: Matrix,
  { leastShare = 0, smoothing = 0 }: Partial<Record<'leastShare' | 'smoothing', number>> = {},
): number {
  checkLengths(truth.length, P.rows);
  if (P.rows === 0) throw new PermafrostError('FIT_INVALID', 'A temperature needs rows to be fitted on.');
  const logs = logsOf(P, leastShare);
  // The loss is convex in 1 / T: Newton's steps, and where one leaves what is known to hold the optimum, its middle.
  let [low, high] = [1 / HOTTEST, 1 / COLDEST];
  let inverse = 1;
  for (let step = 0; step < 100 && high - low > 1e-12 * high; step++) {
    const { slope, curvature } = derivativesAt(inverse, truth, logs, P.cols, smoothing);
    if (slope < 0) low = inverse;
    else high = inverse;
    const next = inverse - slope / curvature;
    const isWithin = next > low && next < high;
    if (isWithin && Math.abs(next - inverse) < 1e-12 * inverse) break;
    inverse = isWithin ? next : Math.sqrt(low * high);
  }
  return 1 / inverse;
}

const logsOf = (P: Matrix, leastShare: number): Float64Array =>
  Float64Array.from(P.data, (p) => Math.log(Math.max(LEAST, p + leastShare)));

/** The log loss' derivatives by 1 / T, summed: the expected less the true logarithm, and the logarithms' variance. */
function derivativesAt(inverse: number, truth: Int32Array, logs: Float64Array, k: number, smoothing: number) {
  const others = smoothing / Math.max(1, k - 1);
  let [slope, curvature] = [0, 0];
  // No callback: what one captures is boxed at each sum, and a sweep comes here thousands of times.
  for (let i = 0; i < truth.length; i++) {
    let most = -Infinity;
    for (let at = i * k; at < (i + 1) * k; at++) most = Math.max(most, logs[at]!);
    let [sum, first, second, all] = [0, 0, 0, 0];
    for (let at = i * k; at < (i + 1) * k; at++) {
      const z = logs[at]! - most;
      const e = Math.exp(inverse * z);
      sum += e;
      first += e * z;
      second += e * z * z;
      all += z;
    }
    const mean = first / sum;
    const own = logs[i * k + truth[i]!]! - most;
    slope += mean - (1 - smoothing - others) * own - others * all;
    curvature += second / sum - mean ** 2;
  }
  return { slope, curvature };
}

/** softmax(ln(P + leastShare) / temperature) of each row, shape (n, classes), a new matrix. */
export function applyTemperature(P: Matrix, temperature: number, leastShare = 0): Matrix {
  const out = matrix(P.rows, P.cols);
  const logs = logsOf(P, leastShare);
  for (let i = 0; i < P.rows; i++) {
    const [from, to] = [i * P.cols, (i + 1) * P.cols];
    const most = logs.subarray(from, to).reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (let at = from; at < to; at++) sum += logs[at] = Math.exp((logs[at]! - most) / temperature);
    for (let at = from; at < to; at++) out.data[at] = logs[at]! / sum;
  }
  return out;
}
