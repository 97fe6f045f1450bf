import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import {
  applyTemperature,
  expectedCalibrationError,
  fitTemperature,
} from '../../../src/classify/evaluate/calibration.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { learningCurve, stratifiedOrder } from '../../../src/classify/evaluate/learning-curve.ts';
import * as metrics from '../../../src/classify/evaluate/metrics.ts';
import { differenceInterval, mcNemar, pairedBootstrap, pairedT } from '../../../src/classify/evaluate/paired-tests.ts';
import { blobs, expectCode } from '../heads/head-contract.ts';

/** Made by test/golden/make_classify.py with scikit-learn and scipy. */
const golden = JSON.parse(readFileSync(new URL('../../golden/classify.json', import.meta.url), 'utf8')) as {
  metrics: {
    calibrationError: Record<string, number>;
    temperature: number;
    lossAtTemperature: number;
    topK: Record<string, number>;
    precision: number[];
    recall: number[];
    f1: number[];
    mcnemar: [number, number, number][];
  };
  bootstrap: { difference: number; interval: [number, number] };
};

function example() {
  const P = matrix(40, 4);
  for (let i = 0; i < 40; i++) {
    const raw = [0, 1, 2, 3].map((j) => ((i * 37 + j * 101 + i * j * 17) % 97) + 1);
    const sum = raw.reduce((a, b) => a + b, 0);
    raw.forEach((value, j) => (P.data[i * 4 + j] = value / sum));
  }
  const top = metrics.topClass(P);
  return { P, truth: top.map((c, i) => (i % 3 === 0 ? (i * 7) % 4 : c)) };
}

describe('figures against scikit-learn and scipy', () => {
  const { P, truth } = example();

  it('top-k accuracy, and precision, recall and F1 of each class', () => {
    for (const [k, share] of Object.entries(golden.metrics.topK)) {
      expect(metrics.topKAccuracy(truth, P, Number(k))).toBeCloseTo(share, 14);
    }
    const scores = metrics.classScores(metrics.confusionMatrix(truth, metrics.topClass(P), 4), 4);
    for (const key of ['precision', 'recall', 'f1'] as const) {
      scores.forEach((score, c) => expect(score[key]).toBeCloseTo(golden.metrics[key][c]!, 14));
    }
  });

  it('expected calibration error', () => {
    for (const [bins, error] of Object.entries(golden.metrics.calibrationError)) {
      expect(expectedCalibrationError(truth, P, Number(bins))).toBeCloseTo(error, 7);
    }
  });

  it('the temperature of the least log loss, and that loss', () => {
    const temperature = fitTemperature(truth, P);
    expect(temperature / golden.metrics.temperature).toBeCloseTo(1, 5);
    const scaled = applyTemperature(P, temperature);
    expect(metrics.logLoss(truth, scaled)).toBeCloseTo(golden.metrics.lossAtTemperature, 6);
    expect(metrics.topClass(scaled)).toEqual(metrics.topClass(P));
  });

  it("McNemar's exact test is a binomial test of one half", () => {
    for (const [b, c, pValue] of golden.metrics.mcnemar) {
      const rows = b + c + 5;
      const first = Int32Array.from({ length: rows }, (_, i) => Number(i >= b));
      const second = Int32Array.from({ length: rows }, (_, i) => Number(i < b || i >= b + c));
      const found = mcNemar(new Int32Array(rows), first, second);
      expect(found).toMatchObject({ onlyFirst: b, onlySecond: c });
      expect(found.pValue / pValue).toBeCloseTo(1, 9);
    }
  });

  it('the paired t test of losses', () => {
    // scipy.stats.ttest_rel of ((i * 37) % 23) / 10 and ((i * 41) % 19) / 10, i < 30.
    const losses = (a: number, b: number) => Float64Array.from({ length: 30 }, (_, i) => ((i * a) % b) / 10);
    expect(pairedT(losses(37, 23), losses(41, 19))).toBeCloseTo(0.2575581731737545, 12);
    expect(pairedT(losses(37, 23), losses(37, 23))).toBe(1);
    expect(pairedT(Float64Array.of(1), Float64Array.of(2))).toBe(1);
    expect(() => pairedT(new Float64Array(2), new Float64Array(3))).toThrow(/2 true classes and 3/);
  });

  it.each([
    // Agresti and Min's formula with scipy.stats.norm.ppf(0.975).
    [4, 0, 153, -0.002175076721692884, 0.053787979947499336],
    [0, 0, 153, -0.012644928932516477, 0.012644928932516477],
    [12, 3, 736, 0.0016085095999413216, 0.0227817343024977],
  ])('the interval of a difference: %d against %d of %d rows', (onlyFirst, onlySecond, rows, low, high) => {
    const interval = differenceInterval({ onlyFirst, onlySecond }, rows);
    expect(interval[0]).toBeCloseTo(low, 12);
    expect(interval[1]).toBeCloseTo(high, 12);
  });

  it('the interval of the balanced accuracy has a width where every row is right', () => {
    // Price and Bonett's formula with the variances over n - 1, in numpy.
    const of = (right: readonly number[], rows: readonly number[]) =>
      metrics.balancedAccuracyInterval(
        right.map((hits, c) => ({ precision: 1, recall: hits / rows[c]!, f1: 1, support: rows[c]! })),
      );
    const ten = [10, 10, 10, 10, 10];
    expect(of(ten, ten)[0]).toBeCloseTo(0.910085213740165, 9);
    expect(of(ten, ten)[1]).toBe(1);
    const [low, high] = of([9, 45, 30, 7], [10, 50, 31, 9]);
    expect(low).toBeCloseTo(0.7717917229519129, 9);
    expect(high).toBeCloseTo(0.957667390238818, 9);
    // Classes of one row have no variance of their own: 40 right of 50 rows are Wald's binomial after two more of each.
    const one = Array<number>(50).fill(1);
    const single = of([...one.slice(10), ...Array<number>(10).fill(0)], one);
    const share = 42 / 54;
    expect((single[0] + single[1]) / 2).toBeCloseTo(share, 12);
    expect(single[1] - share).toBeCloseTo(1.959963984540054 * Math.sqrt((share * (1 - share)) / 50), 12);
  });

  it('the paired bootstrap has the interval of scipy', () => {
    const truth = new Int32Array(150);
    const first = truth.map((_, i) => Number((i * 7) % 11 >= 9));
    const second = truth.map((_, i) => Number((i * 5) % 13 >= 10));
    const found = pairedBootstrap(truth, first, second, { seed: 3 });
    expect(found.difference).toBeCloseTo(golden.bootstrap.difference, 12);
    // Differences come in steps of 1/150; the ends of 10,000 and 100,000 resamples may lie one step apart.
    found.interval.forEach((end, i) => {
      expect(Math.abs(end - golden.bootstrap.interval[i]!)).toBeLessThanOrEqual(1 / 150 + 1e-12);
    });
    expect(found.firstBetter).toBeGreaterThan(0.7);
    expect(found.firstBetter).toBeLessThan(0.95);
    expect(pairedBootstrap(truth, first, second, { seed: 3 })).toEqual(found);
    expect(pairedBootstrap(truth, first, second, { seed: 4 })).not.toEqual(found);
  });
});

describe('comparisons of two heads', () => {
  it('find no difference between a head and itself', () => {
    const truth = Int32Array.of(0, 1, 1, 0);
    const guess = Int32Array.of(0, 1, 0, 0);
    expect(mcNemar(truth, guess, guess)).toEqual({ onlyFirst: 0, onlySecond: 0, pValue: 1 });
    expect(pairedBootstrap(truth, guess, guess, { seed: 1 })).toEqual({
      difference: 0,
      interval: [0, 0],
      firstBetter: 0.5,
    });
  });

  it('reject lengths that differ, and no rows', () => {
    const three = new Int32Array(3);
    expect(() => mcNemar(three, three, new Int32Array(2))).toThrow(/3 true classes and 2 predictions/);
    expect(() => pairedBootstrap(three, new Int32Array(2), three, { seed: 1 })).toThrow(/3 true classes and 2/);
    expect(() => pairedBootstrap(new Int32Array(0), new Int32Array(0), new Int32Array(0), { seed: 1 })).toThrow(
      /needs rows/,
    );
  });
});

describe('the temperature', () => {
  it('brings back a head that claims too much', () => {
    const P = matrix(100, 2);
    const truth = new Int32Array(100);
    for (let i = 0; i < 100; i++) {
      // Right in 80 of 100 rows, and 99.9 % sure.
      P.data.set([0.999, 0.001], 2 * i);
      truth[i] = Number(i < 20);
    }
    const temperature = fitTemperature(truth, P);
    const scaled = applyTemperature(P, temperature);
    expect(temperature).toBeGreaterThan(4);
    expect(scaled.data[0]).toBeCloseTo(0.8, 5);
    expect(expectedCalibrationError(truth, P)).toBeCloseTo(0.199, 5);
    expect(expectedCalibrationError(truth, scaled)).toBeLessThan(1e-5);
  });

  it('stands probabilities of zero and heads that are always right', () => {
    const P = matrix(2, 2, Float32Array.of(1, 0, 0, 1));
    expect(fitTemperature(Int32Array.of(0, 1), P)).toBeLessThan(1);
    const unsure = matrix(2, 2, Float32Array.of(0.6, 0.4, 0.4, 0.6));
    expect(fitTemperature(Int32Array.of(0, 1), unsure)).toBeLessThan(0.02);
    expect([...applyTemperature(P, 2).data].every(Number.isFinite)).toBe(true);
    expect(() => fitTemperature(new Int32Array(0), matrix(0, 2))).toThrow(/needs rows/);
  });
});

describe('the learning curve', () => {
  it('trains on nested subsets in which each class has its share', () => {
    const y = Array.from({ length: 90 }, (_, i) => (i % 3 === 0 ? 'rare' : 'often'));
    const order = stratifiedOrder(y, 5);
    expect([...order].sort((a, b) => a - b)).toEqual(y.map((_, i) => i));
    for (let size = 3; size <= 90; size += 3) {
      const rare = order.slice(0, size).filter((i) => y[i] === 'rare').length;
      expect(Math.abs(rare - size / 3)).toBeLessThanOrEqual(1);
    }
    expect(stratifiedOrder(y, 5)).toEqual(order);
    expect(stratifiedOrder(y, 6)).not.toEqual(order);
  });

  it('rises with the number of rows, and ends at the head trained on all', async () => {
    const all = blobs(['a', 'b', 'c'], 60, 20, 4);
    const noisy = {
      ...all,
      X: { ...all.X, data: all.X.data.map((value, at) => value + 3 * Math.sin(at * at)) },
    };
    const part = (from: number, to: number) => ({
      X: { data: noisy.X.data.slice(from * 20, to * 20), rows: to - from, cols: 20 },
      y: noisy.y.slice(from, to),
    });
    const [train, val] = [part(0, 120), part(120, 180)];
    const head = createHead('logistic');
    const curve = await learningCurve(head, train, val, { sizes: [6, 30, 120], repeats: 3, seed: 1 });
    expect(curve.map(({ rows }) => rows)).toEqual([6, 30, 120]);
    expect(curve[0]!.accuracy).toBeLessThan(curve[2]!.accuracy);
    const full = await (await head.fit(matrixRows(train.X), train.y)).predictProba(val.X);
    const truth = Int32Array.from(val.y, (label) => 'abc'.indexOf(label));
    const expected = metrics.accuracy(truth, metrics.topClass(full));
    expect(curve[2]!.accuracies).toEqual([expected, expected, expected]);
  });

  it('refuses sizes that lack a class or rows', async () => {
    const data = blobs(['a', 'b', 'c'], 4, 5);
    const at = (sizes: number[]) => learningCurve(createHead('centroid'), data, data, { sizes, repeats: 1, seed: 1 });
    await expectCode(at([2]), 'FIT_INVALID', /2 of 12 rows would see 2 of 3 classes/);
    await expectCode(at([13]), 'FIT_INVALID', /13 of 12 rows/);
  });
});
