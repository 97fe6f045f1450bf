import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectThreshold, rowsForRate } from '../../../src/classify/novelty/reject-threshold.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('the threshold of unknown', () => {
  it.each([
    [0.05, 19, 19],
    [0.05, 39, 38],
    [0.05, 99, 95],
    [0.05, 100, 96],
    [0.1, 9, 9],
    [0.1, 199, 180],
    [0.01, 99, 99],
    [0.5, 1, 1],
  ])('at a rate of %f is of %i values in order the %i-th', (rate, n, rank) => {
    expect(rejectThreshold(upTo(n).reverse(), rate)).toBe(rank);
  });

  it.each([
    [0.05, 19],
    [0.1, 9],
    [0.01, 99],
    [0.3, 3],
    [0.5, 1],
  ])('at a rate of %f needs %i values, and is none for one fewer', (rate, needed) => {
    expect(rowsForRate(rate)).toBe(needed);
    expect(rejectThreshold(upTo(needed), rate)).toBe(needed);
    expect(rejectThreshold(upTo(needed - 1), rate)).toBeUndefined();
  });

  it('keeps its promise exactly: of n + 1 exchangeable values, each left out once, at most the rate lies above', () => {
    const rates = fc.integer({ min: 1, max: 50 }).map((percent) => percent / 100);
    const lists = fc.uniqueArray(fc.integer(), { minLength: 101, maxLength: 160 });
    fc.assert(
      fc.property(lists, rates, (all, rate) => {
        const above = all.filter((value, at) => value > rejectThreshold(all.toSpliced(at, 1), rate)!);
        expect(above.length / all.length).toBeLessThanOrEqual(rate + 1e-12);
        // Distinct values: no more is given away than one of them.
        expect(above.length / all.length).toBeGreaterThan(rate - 1 / all.length - 1e-12);
      }),
      { numRuns: 30 },
    );
  });
});
