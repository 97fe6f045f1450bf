import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/core/matrix.ts';
import { calibrationBins } from '../../src/classify/calibration-bins.ts';
import { wilsonInterval } from '../../src/classify/metrics.ts';

const P = matrix(4, 2, Float32Array.from([0.75, 0.25, 0.25, 0.75, 0.75, 0.25, 0.9375, 0.0625]));

describe('calibration', () => {
  it('compares the probability of the likeliest class with the share that is right, bin by bin', () => {
    const { bins, error } = calibrationBins(Int32Array.from([0, 1, 1, 0]), P);
    expect(bins).toEqual([
      { low: 0.7, high: 0.8, images: 3, confidence: 0.75, accuracy: 2 / 3, interval: wilsonInterval(2, 3) },
      { low: 0.9, high: 1, images: 1, confidence: 0.9375, accuracy: 1, interval: wilsonInterval(1, 1) },
    ]);
    // |0.75 - 2/3| of three images and |0.9375 - 1| of one, over four: computed by hand.
    expect(error).toBeCloseTo((3 * (0.75 - 2 / 3) + 0.0625) / 4, 12);
  });

  it('puts a probability on a border into the bin below it, and keeps 0 and 1', () => {
    const { bins } = calibrationBins(
      Int32Array.from([0, 0, 0]),
      matrix(3, 1, Float32Array.from([0, 0.5, 1])),
    );
    expect(bins.map(({ low, images }) => [low, images])).toEqual([
      [0, 1],
      [0.4, 1],
      [0.9, 1],
    ]);
  });
});
