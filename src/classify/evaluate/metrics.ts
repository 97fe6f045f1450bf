import { PermafrostError } from '../../core/errors.ts';
import { argmax, type Matrix, row } from '../../core/matrix.ts';

/** The likeliest class of each row of P (n, classes), the first of equals. Shape (n). */
export function topClass(P: Matrix): Int32Array {
  return Int32Array.from({ length: P.rows }, (_, i) => argmax(row(P, i)));
}

/** Share of rows whose predicted class is the true one, NaN for no rows. */
export function accuracy(truth: Int32Array, predicted: Int32Array): number {
  return hits(truth, predicted) / truth.length;
}

/** Number of rows whose predicted class is the true one. Throws FIT_INVALID for lengths that differ. */
export function hits(truth: Int32Array, predicted: Int32Array): number {
  checkLengths(truth.length, predicted.length);
  return truth.reduce((count, c, i) => count + Number(c === predicted[i]), 0);
}

/** Share of rows whose true class is among the k likeliest; among equals the earlier class counts as likelier. */
export function topKAccuracy(truth: Int32Array, P: Matrix, k: number): number {
  checkLengths(truth.length, P.rows);
  let found = 0;
  truth.forEach((c, i) => {
    const p = row(P, i);
    let ahead = 0;
    for (let other = 0; other < P.cols; other++) {
      if (p[other]! > p[c]! || (p[other] === p[c] && other < c)) ahead++;
    }
    if (ahead < k) found++;
  });
  return found / truth.length;
}

/** The 97.5 % point of the standard normal distribution: a two-sided 95 % interval. */
export const Z_95 = 1.959963984540054;

/**
 * Wilson's score interval for a proportion of n trials (Wilson 1927, JASA 22:209-212): within [0, 1], and right for
 * small n and proportions near 1. `z`: the normal quantile, by default that of 95 %.
 */
export function wilsonInterval(successes: number, n: number, z: number = Z_95): [low: number, high: number] {
  if (n === 0) return [0, 1];
  const share = successes / n;
  const weight = 1 / (1 + z ** 2 / n);
  const centre = weight * (share + z ** 2 / (2 * n));
  const half = weight * z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  // At a share of 0 or 1 the bound is exact; rounding must not push it out.
  return [successes === 0 ? 0 : centre - half, successes === n ? 1 : centre + half];
}

/** ln(p), p clipped to [eps, 1 - eps], eps = 2^-23, as scikit-learn's log_loss does for float32. */
export function clippedLog(p: number): number {
  const eps = 2 ** -23;
  return Math.log(Math.min(1 - eps, Math.max(eps, p)));
}

/** -ln(probability of the true class) of each row, clipped (clippedLog), shape (n). */
export function rowLosses(truth: Int32Array, P: Matrix): Float64Array {
  checkLengths(truth.length, P.rows);
  return Float64Array.from(truth, (c, i) => -clippedLog(P.data[i * P.cols + c]!));
}

/** Mean of `rowLosses`, NaN for no rows. */
export function logLoss(truth: Int32Array, P: Matrix): number {
  return rowLosses(truth, P).reduce((sum, loss) => sum + loss, 0) / truth.length;
}

/** Counts of (true class, predicted class), shape (classes, classes) row-major: row t, column p. */
export function confusionMatrix(truth: Int32Array, predicted: Int32Array, classes: number): Int32Array {
  checkLengths(truth.length, predicted.length);
  const counts = new Int32Array(classes * classes);
  truth.forEach((t, i) => counts[t * classes + predicted[i]!]!++);
  return counts;
}

/** How well one class is found. */
export interface ClassScore {
  /** Right predictions of the class over all predictions of it; 0 when it was never predicted. */
  readonly precision: number;
  /** Right predictions of the class over its rows; 0 when it has no rows. */
  readonly recall: number;
  /** Harmonic mean of both; 0 when both are. */
  readonly f1: number;
  /** Rows of the class. */
  readonly support: number;
}

/** Precision, recall, F1 and support of each class, from the confusion matrix. */
export function classScores(confusion: Int32Array, classes: number): ClassScore[] {
  return Array.from({ length: classes }, (_, c) => {
    let support = 0;
    let predicted = 0;
    for (let other = 0; other < classes; other++) {
      support += confusion[c * classes + other]!;
      predicted += confusion[other * classes + c]!;
    }
    const right = confusion[c * classes + c]!;
    const precision = predicted === 0 ? 0 : right / predicted;
    const recall = support === 0 ? 0 : right / support;
    const f1 = right === 0 ? 0 : (2 * right) / (support + predicted);
    return { precision, recall, f1, support };
  });
}

/** Mean recall of the classes that have rows, NaN when none has. */
export function balancedAccuracy(scores: readonly ClassScore[]): number {
  const present = scores.filter(({ support }) => support > 0);
  return present.reduce((sum, { recall }) => sum + recall, 0) / present.length;
}

/**
 * The 95 % interval of the balanced accuracy: normal after two right and two wrong rows more, shared by the K classes
 * (Price and Bonett 2004, Computational Statistics and Data Analysis 45:449), each class' variance over n - 1. A class
 * of one row has the variance of all. It has a width where every row is right. NaN for no rows.
 */
export function balancedAccuracyInterval(scores: readonly ClassScore[]): [low: number, high: number] {
  const present = scores.filter(({ support }) => support > 0);
  const more = 2 / present.length;
  const shares = present.map(({ recall, support }) => (recall * support + more) / (support + 2 * more));
  const value = shares.reduce((sum, share) => sum + share, 0) / present.length;
  const variance = present.reduce(
    (sum, { support }, c) =>
      sum + (support === 1 ? value * (1 - value) : (shares[c]! * (1 - shares[c]!)) / (support + 2 * more - 1)),
    0,
  );
  const half = (Z_95 * Math.sqrt(variance)) / present.length;
  return [Math.max(0, value - half), Math.min(1, value + half)];
}

/** Throws FIT_INVALID when there are not as many true classes as predictions. */
export function checkLengths(truth: number, predicted: number): void {
  if (truth === predicted) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `There are ${truth} true classes and ${predicted} predictions; each row needs both.`,
  );
}
