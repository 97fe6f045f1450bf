import { describe, expect, it } from 'vitest';
import { binomialDeviation, calibrationCount } from '../../../src/classify/evaluate/calibration-bins.ts';
import { random } from '../../../src/core/random.ts';
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

  it.each([
    // With scipy.stats.binom.pmf: sum of pmf(k) * |k - n p|.
    [3, 0.75, 0.6328125],
    [1, 0.9375, 0.1171875],
    [40, 0.97, 0.8560413433162539],
    [500, 0.62, 8.655215060233564],
    [2, 1, 0],
  ])('knows the mean deviation of a binomial of %d at %d', (n, p, expected) =>
    expect(binomialDeviation(n, p)).toBeCloseTo(expected, 11),
  );

  it('says what a perfectly calibrated head would show', () => {
    const count = calibrationCount();
    const source = random(7);
    const sure = Array.from({ length: 153 }, () => 0.5 + 0.5 * source.uniform() ** 0.2);
    for (const p of sure) count.add(p, true);
    const { mean, most } = count.result().noise;
    // The same by drawing the answers 1,500 times.
    const errors = Array.from({ length: 1500 }, () => {
      const drawn = calibrationCount();
      for (const p of sure) drawn.add(p, source.uniform() < p);
      return drawn.result().error;
    });
    const drawnMean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(Math.abs(mean - drawnMean)).toBeLessThan(0.03 * drawnMean);
    const above = errors.filter((error) => error > most).length / errors.length;
    expect(above).toBeGreaterThan(0.03);
    expect(above).toBeLessThan(0.08);
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
