import { describe, expect, it } from 'vitest';
import { calibrationCount } from '../../../src/classify/evaluate/calibration-bins.ts';
import { wilsonInterval } from '../../../src/classify/evaluate/metrics.ts';

/** Of rows as [probability, right]. */
function binsOf(rows: readonly (readonly [number, boolean])[]) {
  const count = calibrationCount();
  for (const [confidence, isRight] of rows) count.add(confidence, isRight);
  return count.result();
}

describe('calibration', () => {
  it('compares the probability of the likeliest class with the share that is right, bin by bin', () => {
    const { bins, error } = binsOf([
      [0.75, true],
      [0.75, true],
      [0.75, false],
      [0.9375, true],
    ]);
    expect(bins).toEqual([
      { low: 0.7, high: 0.8, images: 3, confidence: 0.75, accuracy: 2 / 3, interval: wilsonInterval(2, 3) },
      { low: 0.9, high: 1, images: 1, confidence: 0.9375, accuracy: 1, interval: wilsonInterval(1, 1) },
    ]);
    // |0.75 - 2/3| of three images and |0.9375 - 1| of one, over four: computed by hand.
    expect(error).toBeCloseTo((3 * (0.75 - 2 / 3) + 0.0625) / 4, 12);
  });

  it('puts a probability on a border into the bin below it, and keeps 0 and 1', () => {
    const { bins } = binsOf([
      [0, true],
      [0.5, true],
      [1, true],
    ]);
    expect(bins.map(({ low, images }) => [low, images])).toEqual([
      [0, 1],
      [0.4, 1],
      [0.9, 1],
    ]);
  });
});
