import type { Matrix } from '../core/matrix.ts';
import type { Calibration, CalibrationBin } from '../core/report-data.ts';
import { expectedCalibrationError } from './calibration.ts';
import { topClass, wilsonInterval } from './metrics.ts';

/**
 * How far the probability of the likeliest class can be taken at its word: P (n, classes) against true classes (n), in `bins` bins of equal
 * width, and the expected calibration error over them. Throws FIT_INVALID for lengths that differ.
 */
export function calibrationBins(truth: Int32Array, P: Matrix, bins = 10): Calibration {
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
  return { bins: filled, error: expectedCalibrationError(truth, P, bins) };
}
