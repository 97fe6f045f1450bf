import { PermafrostError } from '../core/errors.ts';
import type { Matrix } from '../core/matrix.ts';
import type { Calibration, CalibrationBin } from '../core/report-data.ts';
import { topClass, wilsonInterval } from './metrics.ts';

/**
 * How far the probability of the likeliest class can be taken at its word: P (n, classes) against true classes (n), in `bins` bins of equal
 * width. The error is the mean over the images of |confidence - accuracy| of their bin (expected calibration error, Guo, Pleiss, Sun and
 * Weinberger 2017, ICML), NaN for no rows. Throws FIT_INVALID for lengths that differ.
 */
export function calibration(truth: Int32Array, P: Matrix, bins = 10): Calibration {
  if (truth.length !== P.rows)
    throw new PermafrostError(
      'FIT_INVALID',
      `There are ${truth.length} true classes and ${P.rows} rows of P.`,
    );
  const sums = Array.from({ length: bins }, () => ({ images: 0, right: 0, confidence: 0 }));
  topClass(P).forEach((predicted, i) => {
    const confidence = P.data[i * P.cols + predicted]!;
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))]!;
    bin.images++;
    bin.right += Number(predicted === truth[i]);
    bin.confidence += confidence;
  });
  const filled = sums.flatMap(({ images, right, confidence }, i): CalibrationBin[] =>
    images === 0
      ? []
      : [
          {
            low: i / bins,
            high: (i + 1) / bins,
            images,
            confidence: confidence / images,
            accuracy: right / images,
            interval: wilsonInterval(right, images),
          },
        ],
  );
  const gap = filled.reduce((sum, bin) => sum + bin.images * Math.abs(bin.confidence - bin.accuracy), 0);
  return { bins: filled, error: gap / truth.length };
}
