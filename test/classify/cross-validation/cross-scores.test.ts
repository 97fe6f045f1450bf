import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { compareWithBest } from '../../../src/classify/cross-validation/compare.ts';
import { crossScores } from '../../../src/classify/cross-validation/cross-scores.ts';

describe('the figures of a cross-validation', () => {
  // Right, right, wrong, right; classes 0 0 0 1.
  const P = matrix(4, 2, Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.4, 0.6, 0.3, 0.7));
  const folds = [
    { train: [2, 3], val: [0, 1] },
    { train: [0, 1], val: [2, 3] },
  ];
  const scores = crossScores(Int32Array.of(0, 0, 0, 1), P, folds);

  it('are over all rows, and those of each fold over its own', () => {
    expect(scores.accuracy.value).toBe(0.75);
    expect(scores.accuracy.folds).toEqual([1, 0.5]);
    // Recall of class 0 is 2/3, of class 1 it is 1. In the first fold class 1 has no rows.
    expect(scores.balancedAccuracy.value).toBeCloseTo((2 / 3 + 1) / 2, 12);
    expect(scores.balancedAccuracy.folds).toEqual([1, 0.5]);
    const losses = [0.9, 0.8, 0.4, 0.7].map((p) => -Math.log(Math.fround(p)));
    expect(scores.logLoss.value).toBeCloseTo(losses.reduce((a, b) => a + b) / 4, 12);
    expect(scores.logLoss.folds[1]).toBeCloseTo((losses[2]! + losses[3]!) / 2, 12);
  });

  it('come with intervals: Wilson for the accuracy, the normal ones for the others', () => {
    // scipy.stats.binomtest(3, 4).proportion_ci(method="wilson")
    expect(scores.accuracy.interval[0]).toBeCloseTo(0.3006, 4);
    expect(scores.accuracy.interval[1]).toBeCloseTo(0.9544, 4);
    // 1.96 · sqrt(2/9 / 3) / 2 around 5/6, cut at 1.
    expect(scores.balancedAccuracy.interval[0]).toBeCloseTo(5 / 6 - (1.959964 * Math.sqrt(2 / 27)) / 2, 6);
    expect(scores.balancedAccuracy.interval[1]).toBe(1);
    const losses = [0.9, 0.8, 0.4, 0.7].map((p) => -Math.log(Math.fround(p)));
    const mean = losses.reduce((a, b) => a + b) / 4;
    const deviation = Math.sqrt(losses.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3);
    expect(scores.logLoss.interval[1]).toBeCloseTo(mean + (1.959964 * deviation) / 2, 6);
  });
});

describe('candidates compared with the best', () => {
  const truth = new Int32Array(20);
  /** Right in all rows but the first `wrong`. */
  const predictions = (wrong: number): Int32Array => truth.map((_, i) => Number(i < wrong));

  it('are told apart only where the difference outlasts the adjustment for their number', () => {
    // Against the best, exact p-values: 2 · 0.5^10 = 0.00195, 2 · 0.5^6 = 0.03125, 2 · 0.5^6, 1.
    const found = compareWithBest(truth, [0, 10, 6, 6, 0].map(predictions));
    [1, 0.001953125, 0.03125, 0.03125, 1].forEach((p, i) => expect(found[i]!.pValue).toBeCloseTo(p, 12));
    // 4 · 0.00195 <= 0.05, but 3 · 0.03125 is not.
    expect(found.map(({ toldApart }) => toldApart)).toEqual([false, true, false, false, false]);
    expect(compareWithBest(truth, [0, 6].map(predictions))[1]!.toldApart).toBe(true);
    expect(compareWithBest(truth, [])).toEqual([]);
  });
});
