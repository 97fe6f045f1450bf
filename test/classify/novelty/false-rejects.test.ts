import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chanceOfRejects, expectedRate, rateInterval } from '../../../src/classify/novelty/false-rejects.ts';
import { rejectThreshold, thresholdRank } from '../../../src/classify/novelty/reject-threshold.ts';
import { random } from '../../../src/core/random.ts';

const AT_5 = { calibratedOn: 245, rate: 0.05 };

describe('the false rejects of a threshold', () => {
  // scipy.stats.betabinom(m, n + 1 - r, r).sf(rejected - 1), scipy.stats.beta(12, 234).ppf.
  it.each([
    [18, 153, AT_5, 0.006513710417237695],
    [8, 153, AT_5, 0.4556554675628446],
    [1, 10, { calibratedOn: 19, rate: 0.05 }, 0.34482758620689646],
    [55, 736, { calibratedOn: 2934, rate: 0.05 }, 0.005637764487083752],
  ])('are %i or more of %i by a beta-binomial tail', (rejected, m, calibration, chance) => {
    expect(chanceOfRejects(rejected, m, calibration)).toBeCloseTo(chance, 9);
  });

  it('lie in the range of a beta distribution', () => {
    const [low, high] = rateInterval(AT_5);
    expect(low).toBeCloseTo(0.02556127, 8);
    expect(high).toBeCloseTo(0.07891336, 8);
  });

  it('of a row or more among a few is what counting the orders gives', () => {
    // n = 19: the threshold is the largest of 19, so a row lies above it where it is the largest of 20.
    expect(chanceOfRejects(0, 7, { calibratedOn: 19, rate: 0.05 })).toBeCloseTo(1, 12);
    expect(chanceOfRejects(1, 1, { calibratedOn: 19, rate: 0.05 })).toBeCloseTo(1 / 20, 12);
    expect(chanceOfRejects(2, 2, { calibratedOn: 19, rate: 0.05 })).toBeCloseTo((1 / 20) * (2 / 21), 12);
  });

  it('is a chance that falls with the count', () => {
    const cases = fc.tuple(fc.integer({ min: 19, max: 3000 }), fc.integer({ min: 1, max: 900 }));
    fc.assert(
      fc.property(cases, ([calibratedOn, m]) => {
        let before = 1 + 1e-9;
        for (let x = 0; x <= m; x += Math.ceil(m / 20)) {
          const chance = chanceOfRejects(x, m, { calibratedOn, rate: 0.05 });
          expect(chance).toBeGreaterThanOrEqual(0);
          expect(chance).toBeLessThanOrEqual(before + 1e-9);
          before = chance;
        }
      }),
      { numRuns: 40 },
    );
  });

  it('rings by chance in 2.5 % of simulations, and its range holds the true share in 95 %', () => {
    const source = random(5);
    const [low, high] = rateInterval(AT_5);
    expect(expectedRate(245, 0.05)).toBeCloseTo((246 - thresholdRank(245, 0.05)) / 246, 12);
    let [rang, held] = [0, 0];
    const runs = 2000;
    for (let at = 0; at < runs; at++) {
      const threshold = rejectThreshold(
        Array.from({ length: 245 }, () => source.uniform()),
        0.05,
      )!;
      const share = 1 - threshold;
      if (share >= low && share <= high) held++;
      let rejected = 0;
      for (let i = 0; i < 153; i++) rejected += Number(source.uniform() > threshold);
      if (chanceOfRejects(rejected, 153, AT_5) <= 0.025) rang++;
    }
    // Four standard deviations; what is counted has steps, so that it rings less.
    expect(rang / runs).toBeLessThan(0.025 + 4 * Math.sqrt((0.025 * 0.975) / runs));
    expect(rang / runs).toBeGreaterThan(0.005);
    expect(Math.abs(held / runs - 0.95)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / runs));
  });
});
