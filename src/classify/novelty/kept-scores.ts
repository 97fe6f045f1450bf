import { thresholdRank } from './reject-threshold.ts';

/** Shares of false rejects whose threshold every rule keeps, where it was calibrated on enough images. */
const KEPT_RATES = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/** What is kept of the novelty scores that a threshold was calibrated on: some of them, ascending. */
export interface KeptScores {
  /** How many scores there were: known images that no head was fitted on. */
  readonly images: number;
  /** Which of them are kept: numbers from 1 in ascending order. */
  readonly ranks: readonly number[];
  readonly scores: readonly number[];
}

/** One score in a hundred, and the thresholds of some rates beside `rate`: at most about 110 numbers. */
export function keptScores(scores: ArrayLike<number>, rate: number): KeptScores {
  const sorted = Float64Array.from(scores).sort();
  const images = sorted.length;
  const hundredths = Array.from({ length: 101 }, (_, p) => 1 + Math.round(((images - 1) * p) / 100));
  const ofRates = [rate, ...KEPT_RATES].map((one) => thresholdRank(images, one));
  const wanted = [...hundredths, ...ofRates].filter((rank) => rank >= 1 && rank <= images);
  const ranks = [...new Set(wanted)].sort((a, b) => a - b);
  return { images, ranks, scores: ranks.map((rank) => sorted[rank - 1]!) };
}

/** The threshold that `rejectThreshold` gives for a rate; undefined where there is none, or it is not kept. */
export function keptThreshold({ images, ranks, scores }: KeptScores, rate: number): number | undefined {
  const at = ranks.indexOf(thresholdRank(images, rate));
  return at < 0 ? undefined : scores[at];
}

/** The share of the calibrated images that are less strange than `value`: so many, or up to one in a hundred more. */
export function shareBelow({ images, ranks, scores }: KeptScores, value: number): number {
  let below = 0;
  for (const [i, score] of scores.entries()) if (score < value) below = ranks[i]!;
  return below / images;
}
