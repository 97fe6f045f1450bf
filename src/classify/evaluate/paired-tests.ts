import { PermafrostError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import { studentTwoSided } from './distributions.ts';
import { checkLengths, Z_95 } from './metrics.ts';

/** How two heads differ on the same rows. */
export interface McNemar {
  /** Rows that only the first head, or only the second, got right. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Two-sided p-value of "both are equally good"; 1 when they never differ. */
  readonly pValue: number;
}

/**
 * McNemar's exact test (McNemar 1947; Dietterich 1998, Neural Computation 10:1895): a row that only one got right is
 * either's with chance 1/2. `truth`, `first`, `second`: class indices (n). Throws FIT_INVALID for other lengths.
 */
export function mcNemar(truth: Int32Array, first: Int32Array, second: Int32Array): McNemar {
  checkLengths(truth.length, first.length);
  checkLengths(truth.length, second.length);
  let [onlyFirst, onlySecond] = [0, 0];
  truth.forEach((c, i) => {
    if (first[i] === c && second[i] !== c) onlyFirst++;
    if (first[i] !== c && second[i] === c) onlySecond++;
  });
  return { onlyFirst, onlySecond, pValue: exactTwoSided(onlyFirst, onlySecond) };
}

/** min(1, 2 · P(X <= min(a, b))), X binomial of a + b trials at one half. */
function exactTwoSided(a: number, b: number): number {
  const n = a + b;
  // ln(n choose i) step by step: the terms themselves would overflow.
  let log = -n * Math.LN2;
  let tail = 0;
  for (let i = 0; i <= Math.min(a, b); i++) {
    tail += Math.exp(log);
    log += Math.log((n - i) / (i + 1));
  }
  return Math.min(1, 2 * tail);
}

/**
 * The 95 % interval of the difference in accuracy of two heads on the same `rows`: Wald's after half a row more in each
 * cell of the table of both (Agresti and Min 2005, Statistics in Medicine 24:729). It has a width where no row differs.
 */
export function differenceInterval(
  { onlyFirst, onlySecond }: Pick<McNemar, 'onlyFirst' | 'onlySecond'>,
  rows: number,
): [low: number, high: number] {
  const n = rows + 2;
  const [first, second] = [(onlyFirst + 0.5) / n, (onlySecond + 0.5) / n];
  const half = Z_95 * Math.sqrt((first + second - (first - second) ** 2) / n);
  return [Math.max(-1, first - second - half), Math.min(1, first - second + half)];
}

/** How much more often the first head is right, as a share of `rows`, and the 95 % interval of that. */
export const accuracyDifference = (
  found: Pick<McNemar, 'onlyFirst' | 'onlySecond'>,
  rows: number,
): { readonly difference: number; readonly interval: [low: number, high: number] } => ({
  difference: (found.onlyFirst - found.onlySecond) / rows,
  interval: differenceInterval(found, rows),
});

/**
 * Two-sided p-value of "both losses are equal on average" by the paired t test (Student 1908) on one loss a row. 1 for
 * less than two rows or losses that are all the same. Throws FIT_INVALID for other lengths.
 */
export function pairedT(first: Float64Array | Float32Array, second: Float64Array | Float32Array): number {
  checkLengths(first.length, second.length);
  const n = first.length;
  const differences = Float64Array.from(first, (loss, i) => loss - second[i]!);
  const mean = differences.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2 || mean === 0) return 1;
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return studentTwoSided(mean / Math.sqrt(variance / n), n - 1);
}

/** How much better one head is than another on the same rows. */
export interface BootstrapDifference {
  /** Accuracy of the first head less that of the second. */
  readonly difference: number;
  /** Percentile interval of the difference. */
  readonly interval: readonly [low: number, high: number];
  /** Share of the resamples in which the first head was better; ties count half. */
  readonly firstBetter: number;
}

/** How the resamples are drawn. */
export interface BootstrapOptions {
  readonly seed: number;
  /** Default 10,000. */
  readonly resamples?: number;
  /** Of the interval, default 0.95. */
  readonly level?: number;
}

/**
 * Paired bootstrap of the difference in accuracy (Efron and Tibshirani 1993, chapters 13 and 16): rows are drawn with
 * replacement, the same for both heads; deterministic by seed. Where few rows differ its interval is too short
 * (`differenceInterval` is not: docs/figures.md). Throws FIT_INVALID for lengths that differ or no rows.
 */
export function pairedBootstrap(
  truth: Int32Array,
  first: Int32Array,
  second: Int32Array,
  { seed, resamples = 10_000, level = 0.95 }: BootstrapOptions,
): BootstrapDifference {
  checkLengths(truth.length, first.length);
  checkLengths(truth.length, second.length);
  const n = truth.length;
  if (n === 0) throw new PermafrostError('FIT_INVALID', 'A bootstrap needs rows to draw from.');
  const gains = Int8Array.from(truth, (c, i) => Number(first[i] === c) - Number(second[i] === c));
  const source = random(seed);
  const drawn = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += gains[Math.floor(source.uniform() * n)]!;
    return sum / n;
  }).sort();
  const better = drawn.reduce((sum, value) => sum + (value > 0 ? 1 : value === 0 ? 0.5 : 0), 0);
  return {
    difference: gains.reduce((sum, gain) => sum + gain, 0) / n,
    interval: [quantile(drawn, (1 - level) / 2), quantile(drawn, (1 + level) / 2)],
    firstBetter: better / resamples,
  };
}

/** The quantile of sorted values, linear between them (NumPy's default). */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}
