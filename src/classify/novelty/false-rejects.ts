import { thresholdRank } from './reject-threshold.ts';

/**
 * What a threshold of split conformal prediction does on other rows. It is the r-th smallest of n scores (thresholdRank),
 * so that the share of rows like them above it is itself random, over the n rows: Beta(n + 1 - r, r) distributed (Vovk
 * 2012, arXiv 1209.2673). Scores are taken to have no ties.
 */
export interface Calibration {
  readonly calibratedOn: number;
  readonly rate: number;
  /**
   * How many scores count as one, by default 1: scores out of fold share heads, and the head that answers was fitted on
   * more rows (OUT_OF_FOLD_EFFECT).
   */
  readonly effect?: number;
}

/** Calibration.effect of scores out of fold: with 1 the range is too narrow (bench/classify/unknown-rate.mjs). */
export const OUT_OF_FOLD_EFFECT = 2;

interface Shares {
  /** The first parameter of the Beta distribution, n + 1 - r; r is the second. */
  readonly above: number;
  readonly rank: number;
}

function sharesOf({ calibratedOn, rate, effect = 1 }: Calibration): Shares {
  const rank = thresholdRank(calibratedOn, rate);
  const counted = (rows: number): number => Math.max(1, Math.round(rows / effect));
  return { above: counted(calibratedOn + 1 - rank), rank: counted(rank) };
}

/** The mean over training sets of the share above: at most the rate that was asked for. */
export function expectedRate(calibratedOn: number, rate: number): number {
  return sharesOf({ calibratedOn, rate }).above / (calibratedOn + 1);
}

/** Where the share above one threshold lies with a chance of `level`. */
export function rateInterval(calibration: Calibration, level = 0.95): [low: number, high: number] {
  const { above, rank } = sharesOf(calibration);
  const quantile = (chance: number): number => {
    let [low, high] = [0, 1];
    for (let step = 0; step < 50; step++) {
      const middle = (low + high) / 2;
      if (betaBelow(middle, above, above + rank - 1) < chance) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return [quantile((1 - level) / 2), quantile((1 + level) / 2)];
}

/** P(share < x) of Beta(a, n + 1 - a): the chance of a successes or more in n trials of chance x. */
function betaBelow(x: number, a: number, n: number): number {
  let log = n * Math.log1p(-x);
  let fewer = 0;
  for (let k = 0; k < a; k++) {
    fewer += Math.exp(log);
    log += Math.log((n - k) / (k + 1)) + Math.log(x) - Math.log1p(-x);
  }
  return 1 - fewer;
}

/**
 * The chance that of m rows like the calibrated ones `rejected` or more lie above the threshold: the upper tail of the
 * beta-binomial distribution, which counts that the threshold itself was estimated.
 */
export function chanceOfRejects(rejected: number, m: number, calibration: Calibration): number {
  const { above, rank } = sharesOf(calibration);
  // P(0) = the product of (rank + j) / (m + rank + j), then from one count to the next.
  let log = 0;
  for (let j = 0; j < above; j++) log += Math.log((rank + j) / (m + rank + j));
  let fewer = 0;
  let tail = 0;
  for (let x = 0; x <= m; x++) {
    if (x < rejected) fewer += Math.exp(log);
    else tail += Math.exp(log);
    log += Math.log(((m - x) * (x + above)) / ((x + 1) * (m - x - 1 + rank)));
  }
  return rejected * 2 > m ? tail : Math.max(tail, Math.min(1, 1 - fewer));
}
