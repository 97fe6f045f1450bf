import { wilsonInterval } from './metrics.ts';

/** Images whose likeliest class has a probability in (low, high], the first bin including 0. */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly images: number;
  /** Mean probability of the likeliest class. */
  readonly confidence: number;
  /** Share of them that are right, with its 95 % Wilson interval. */
  readonly accuracy: number;
  readonly interval: readonly [number, number];
}

export interface CalibrationCurve {
  /** Bins that hold images. */
  readonly bins: readonly CalibrationBin[];
  /** Expected calibration error, 0 to 1. */
  readonly error: number;
  /**
   * What that is on average for a perfectly calibrated head with these probabilities, and in 95 of 100 cases at most.
   */
  readonly noise: { readonly mean: number; readonly most: number };
}

/** Bins of every calibration error that permafrost tells. */
export const CALIBRATION_BINS = 10;

/** The 95 % point of the standard normal distribution. */
const Z_95_ONE_SIDED = 1.6448536269514722;

/**
 * Mean |X - np| of a binomial X: 2 v C(n, v) p^v (1 - p)^(n - v + 1), v = floor(np) + 1 (de Moivre 1730; Diaconis and
 * Zabell 1991, Statistical Science 6:284).
 */
export function binomialDeviation(n: number, p: number): number {
  if (p <= 0 || p >= 1) return 0;
  const v = Math.floor(n * p) + 1;
  let log = Math.log(2 * v) + v * Math.log(p) + (n - v + 1) * Math.log1p(-p);
  for (let i = 1; i <= Math.min(v, n - v); i++) log += Math.log((n - i + 1) / i);
  return v > n ? 0 : Math.exp(log);
}

/** Calibration of the likeliest class' probability, row by row. */
export interface CalibrationCount {
  /** One row: the probability of its likeliest class, and whether that is the true one. */
  add(confidence: number, isRight: boolean): void;
  /**
   * Bins that hold rows, and the expected calibration error (Guo et al. 2017, equation 3), NaN for none. Its noise:
   * each bin's right rows as binomial with the bin's mean probability, the sum over bins as normal for the upper end.
   */
  result(): CalibrationCurve;
}

/** Counts rows in `bins` bins of equal width. */
export function calibrationCount(bins = CALIBRATION_BINS): CalibrationCount {
  const sums = Array.from({ length: bins }, () => ({ images: 0, right: 0, confidence: 0, gap: 0 }));
  return {
    add(confidence, isRight) {
      const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]!;
      bin.images++;
      bin.right += Number(isRight);
      bin.confidence += confidence;
      bin.gap += Number(isRight) - confidence;
    },
    result() {
      const all = sums.map(({ images, right, confidence }, i) => ({
        low: i / bins,
        high: (i + 1) / bins,
        images,
        confidence: confidence / images,
        accuracy: right / images,
        interval: wilsonInterval(right, images),
      }));
      const filled = all.filter((bin) => bin.images > 0);
      const images = sums.reduce((sum, bin) => sum + bin.images, 0);
      let [mean, variance] = [0, 0];
      for (const bin of filled) {
        const deviation = binomialDeviation(bin.images, bin.confidence);
        mean += deviation;
        variance += bin.images * bin.confidence * (1 - bin.confidence) - deviation ** 2;
      }
      return {
        bins: filled,
        error: sums.reduce((sum, { gap }) => sum + Math.abs(gap), 0) / images,
        noise: { mean: mean / images, most: (mean + Z_95_ONE_SIDED * Math.sqrt(variance)) / images },
      };
    },
  };
}
