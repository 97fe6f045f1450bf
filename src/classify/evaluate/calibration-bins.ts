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
}

/** Calibration of the likeliest class' probability, row by row. */
export interface CalibrationCount {
  /** One row: the probability of its likeliest class, and whether that is the true one. */
  add(confidence: number, isRight: boolean): void;
  /** Bins that hold rows, and the expected calibration error (Guo et al. 2017, equation 3), NaN for none. */
  result(): CalibrationCurve;
}

/** Counts rows in `bins` bins of equal width. */
export function calibrationCount(bins = 10): CalibrationCount {
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
      return { bins: filled, error: sums.reduce((sum, { gap }) => sum + Math.abs(gap), 0) / images };
    },
  };
}
