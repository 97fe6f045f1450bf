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

  it('come with intervals: Wilson, Price and Bonett, and a normal one for the log loss', () => {
    // scipy.stats.binomtest(3, 4).proportion_ci(method="wilson")
    expect(scores.accuracy.interval[0]).toBeCloseTo(0.3006, 4);
    expect(scores.accuracy.interval[1]).toBeCloseTo(0.9544, 4);
    // 2 of 3 and 1 of 1, two right and two wrong more shared by both, in numpy; cut at 1.
    expect(scores.balancedAccuracy.interval[0]).toBeCloseTo(0.10357875969607, 9);
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
  const answers = (wrong: number) => ({ guess: truth.map((_, i) => Number(i < wrong)) });

  it('are told apart only where the difference outlasts the choice of the best among all', () => {
    // Against the best, exact p-values: 2 · 0.5^10 = 0.00195, 2 · 0.5^6 = 0.03125, 2 · 0.5^6, 1.
    const found = compareWithBest('accuracy', truth, [0, 10, 6, 6, 0].map(answers));
    [1, 0.001953125, 0.03125, 0.03125, 1].forEach((p, i) => expect(found[i]!.pValue).toBeCloseTo(p, 12));
    // scipy.stats.studentized_range.sf(sqrt(2) * norm.isf(p / 2), 5, inf)
    [1, 0.01672457438872854, 0.19751423315201233, 0.19751423315201233, 1].forEach((p, i) =>
      expect(found[i]!.adjusted).toBeCloseTo(p, 9),
    );
    expect(found.map(({ toldApart }) => toldApart)).toEqual([false, true, false, false, false]);
    expect(found.every(({ test }) => test === 'mcnemar')).toBe(true);
    expect(compareWithBest('accuracy', truth, [0, 6].map(answers))[1]!.toldApart).toBe(true);
    expect(compareWithBest('accuracy', truth, [])).toEqual([]);
  });

  it('are compared by the score that they are ranked by', () => {
    // Both always right, one surer: the same accuracy and balanced accuracy, another log loss.
    const sure = { ...answers(0), losses: Float64Array.from(truth, (_, i) => 0.1 + 0.01 * (i % 3)) };
    const unsure = { ...answers(0), losses: Float64Array.from(truth, (_, i) => 0.5 + 0.02 * (i % 5)) };
    const verdict = (score: 'accuracy' | 'balancedAccuracy' | 'logLoss') =>
      compareWithBest(score, truth, [sure, unsure])[1]!;
    expect(verdict('accuracy')).toEqual({ pValue: 1, adjusted: 1, test: 'mcnemar', toldApart: false });
    expect(verdict('balancedAccuracy')).toMatchObject({ pValue: 1, test: 'class-weighted-mcnemar', toldApart: false });
    expect(verdict('logLoss')).toMatchObject({ test: 'paired-t', toldApart: true });
    expect(verdict('logLoss').pValue).toBeLessThan(1e-10);
  });
});
