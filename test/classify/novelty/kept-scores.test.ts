import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keptScores, keptThreshold, shareBelow } from '../../../src/classify/novelty/kept-scores.ts';
import { rejectThreshold } from '../../../src/classify/novelty/reject-threshold.ts';
import { random } from '../../../src/core/random.ts';

const drawn = (n: number, seed: number): number[] => {
  const generator = random(seed);
  return Array.from({ length: n }, () => generator.uniform());
};

describe('kept calibration scores', () => {
  it('give the very thresholds of the rates that all of them give, and none where they are too few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.constantFrom(0.03, 0.05, 0.3), (n, rate) => {
        const scores = drawn(n, n);
        const kept = keptScores(scores, rate);
        for (const asked of [rate, 0.01, 0.05]) expect(keptThreshold(kept, asked)).toBe(rejectThreshold(scores, asked));
      }),
      { numRuns: 50 },
    );
  });

  it('are few however many there were, and in order', () => {
    const { images, ranks, scores } = keptScores(drawn(20_000, 1), 0.05);
    expect(images).toBe(20_000);
    expect(ranks.length).toBeLessThan(120);
    expect(scores).toEqual([...scores].sort((a, b) => a - b));
  });

  it('tell the share of less strange images, which is never more than it is, and at most a hundredth less', () => {
    const all = drawn(2000, 2);
    const kept = keptScores(all, 0.05);
    for (const value of [...drawn(200, 3), -1, 2]) {
      const share = all.filter((score) => score < value).length / all.length;
      expect(shareBelow(kept, value)).toBeLessThanOrEqual(share);
      expect(shareBelow(kept, value)).toBeGreaterThan(share - 0.0101);
    }
    expect(shareBelow(kept, 2)).toBe(1);
    expect(shareBelow(kept, -1)).toBe(0);
  });

  it('do not know the threshold of a rate that nobody keeps', () => {
    expect(keptThreshold(keptScores(drawn(5000, 4), 0.05), 0.0377)).toBeUndefined();
  });
});
