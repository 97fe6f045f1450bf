import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import * as metrics from '../../../src/classify/evaluate/metrics.ts';
import { surestMistakes } from '../../../src/classify/evaluate/mistakes.ts';

/**
 * i = np.arange(40)[:, None]; j = np.arange(4)[None, :]
 * P = (((i*37 + j*101 + i*j*17) % 97) + 1).astype(float); P = (P / P.sum(1, keepdims=True)).astype(np.float32)
 * y = (np.arange(40)*7 + np.arange(40)//5) % 4; y = np.where(y == 3, np.arange(40) % 2, y)  # class 3 has no rows
 */
function example() {
  const P = matrix(40, 4);
  for (let i = 0; i < 40; i++) {
    const raw = [0, 1, 2, 3].map((j) => ((i * 37 + j * 101 + i * j * 17) % 97) + 1);
    const sum = raw.reduce((a, b) => a + b, 0);
    raw.forEach((value, j) => (P.data[i * 4 + j] = value / sum));
  }
  const truth = Int32Array.from({ length: 40 }, (_, i) => {
    const c = (i * 7 + Math.floor(i / 5)) % 4;
    return c === 3 ? i % 2 : c;
  });
  return { P, truth, predicted: metrics.topClass(P) };
}

describe('metrics against scikit-learn 1.9.1', () => {
  const { P, truth, predicted } = example();
  const confusion = metrics.confusionMatrix(truth, predicted, 4);
  const scores = metrics.classScores(confusion, 4);

  it('accuracy_score and top_k_accuracy_score', () => {
    expect(metrics.accuracy(truth, predicted)).toBe(0.2);
    expect(metrics.hits(truth, predicted)).toBe(8);
    expect(metrics.topKAccuracy(truth, P, 1)).toBe(0.2);
    // Some rows have equals; scikit-learn puts the later class first, we the earlier, as topClass: np.argsort(-P,
    // kind='stable').
    expect(metrics.topKAccuracy(truth, P, 2)).toBe(0.55);
    expect(metrics.topKAccuracy(truth, P, 4)).toBe(1);
  });

  it('log_loss(y, P, labels=[0, 1, 2, 3])', () => {
    expect(metrics.logLoss(truth, P)).toBeCloseTo(1.6100372076034546, 6);
  });

  it('log_loss([1, 1], [[1, 0], [0, 1]]), clipped by the epsilon of float32', () => {
    const sure = matrix(2, 2, Float32Array.of(1, 0, 0, 1));
    expect(metrics.logLoss(Int32Array.of(1, 1), sure)).toBeCloseTo(7.971192359924316, 6);
  });

  it('confusion_matrix', () => {
    expect([...confusion]).toEqual([5, 4, 3, 8, 6, 1, 3, 2, 1, 2, 2, 3, 0, 0, 0, 0]);
  });

  it('precision_recall_fscore_support(zero_division=0) and balanced_accuracy_score', () => {
    const expected = {
      precision: [0.4166666666666667, 0.14285714285714285, 0.25, 0],
      recall: [0.25, 0.08333333333333333, 0.25, 0],
      f1: [0.3125, 0.10526315789473684, 0.25, 0],
      support: [20, 12, 8, 0],
    };
    for (const key of ['precision', 'recall', 'f1', 'support'] as const) {
      scores.forEach((score, c) => expect(score[key]).toBeCloseTo(expected[key][c]!, 14));
    }
    expect(metrics.balancedAccuracy(scores)).toBeCloseTo(0.19444444444444442, 14);
  });
});

describe("Wilson's interval", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(0.95, 'wilson')
  it.each([
    [143, 153, 0.8838761830582917, 0.9641138892098424],
    [0, 10, 0, 0.27753279986288926],
    [10, 10, 0.7224672001371109, 1],
    [1, 3, 0.06149194472039626, 0.7923403991979523],
  ])('of %d in %d is that of SciPy', (successes, n, low, high) => {
    const found = metrics.wilsonInterval(successes, n);
    expect(found[0]).toBeCloseTo(low, 12);
    expect(found[1]).toBeCloseTo(high, 12);
  });

  it('of nothing is everything', () => {
    expect(metrics.wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});

describe('metrics', () => {
  it('take the first of equal probabilities', () => {
    const P = matrix(2, 3, Float32Array.of(0.4, 0.4, 0.2, 0.2, 0.4, 0.4));
    expect([...metrics.topClass(P)]).toEqual([0, 1]);
    expect(metrics.topKAccuracy(Int32Array.of(1, 2), P, 1)).toBe(0);
  });

  it('reject lengths that differ', () => {
    expect(() => metrics.accuracy(Int32Array.of(1), Int32Array.of(1, 2))).toThrow(/1 true classes and 2 predictions/);
    expect(() => metrics.logLoss(Int32Array.of(1), matrix(2, 2))).toThrow(/1 true classes and 2 predictions/);
  });
});

describe('the surest mistakes', () => {
  it('come surest first, equals in the order of their rows, in whatever order they are told', () => {
    const told = [0.6, 0.9, 0.9, 0.8, 0.75].map((probability, row) => ({
      row,
      truth: 0,
      predicted: 1,
      probability,
    }));
    for (const order of [told, [...told].reverse()]) {
      const [few, all, none] = [surestMistakes(3), surestMistakes(10), surestMistakes(0)];
      for (const mistake of order) for (const list of [few, all, none]) list.add(mistake);
      expect(few.list().map(({ row }) => row)).toEqual([1, 2, 3]);
      expect(all.list().map(({ row }) => row)).toEqual([1, 2, 3, 4, 0]);
      expect(none.list()).toEqual([]);
    }
  });
});
