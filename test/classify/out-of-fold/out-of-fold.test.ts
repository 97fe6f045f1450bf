import { describe, expect, it } from 'vitest';
import { byCrossValidation, crossValidated, isBeaten } from '../../../src/classify/cross-validation/choice.ts';
import { scaledAcross, temperatureOf } from '../../../src/classify/out-of-fold/fold-temperatures.ts';
import { outOfFold, trainingFolds } from '../../../src/classify/out-of-fold/out-of-fold.ts';
import { refitsOf } from '../../../src/classify/out-of-fold/refits.ts';
import { fitTemperature } from '../../../src/classify/evaluate/calibration.ts';
import { logLoss, topClass } from '../../../src/classify/evaluate/metrics.ts';
import { createHead, type HeadName } from '../../../src/classify/heads/index.ts';
import { scaledHead } from '../../../src/classify/heads/scaled-head.ts';
import { applyNormalizer, fitNormalizer, type Normalization } from '../../../src/classify/normalize.ts';
import { matrix, row, selectRows } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { blobs } from '../heads/head-contract.ts';

const CLASSES = ['ant', 'bee', 'cat'];
const keysOf = (y: readonly string[]): string[] => y.map((_, i) => String(i).padStart(4, '0'));

/** Blobs that overlap, so that no head is always right. */
function noisy(each: number, seed = 1) {
  const { X, y } = blobs(CLASSES, each, 12, seed);
  const other = blobs(CLASSES, each, 12, seed + 50);
  X.data.forEach((value, at) => (X.data[at] = 0.25 * value + 2.2 * Math.abs(Math.sin(7 * other.X.data[at]!))));
  return { X, y };
}

async function judged(name: HeadName, data: ReturnType<typeof blobs>, normalize: Normalization = 'l2') {
  const keys = keysOf(data.y);
  const refits = await refitsOf(createHead(name), { X: data.X, labels: data.y, normalize });
  return { refits, keys, found: await outOfFold(refits, trainingFolds(data.y, { keys, groups: keys, seed: 1 })) };
}

describe('the folds of training rows', () => {
  it('keep copies together, hold out no row whose class would be lost, and judge every other row once', () => {
    const y = [...Array.from({ length: 20 }, (_, i) => CLASSES[i % 2]!), 'one', 'copied', 'copied'];
    const keys = keysOf(y);
    const groups = keys.map((key, i) => (i > 20 ? 'same' : i < 4 ? 'pair' : key));
    const folds = trainingFolds(y, { keys, groups, seed: 1 });
    const rows = folds.flatMap(({ val }) => val);
    expect([...rows].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const { train, val } of folds) {
      expect(train.length + val.length).toBe(23);
      expect(train).toEqual(expect.arrayContaining([20, 21, 22]));
      const inVal = [0, 1, 2, 3].filter((i) => val.includes(i)).length;
      expect([0, 4]).toContain(inVal);
    }
  });

  it('are none where each class has one image, or copies of one', () => {
    const y = ['ant', 'ant', 'bee'];
    expect(trainingFolds(y, { keys: keysOf(y), groups: ['a', 'a', 'b'], seed: 1 })).toEqual([]);
    expect(trainingFolds(['ant'], { keys: ['x'], groups: ['x'], seed: 1 })).toEqual([]);
  });
});

describe('fits on parts of the same rows', () => {
  it.each([
    ['logistic', 'l2'],
    ['ridge', 'none'],
    ['linear-svm', 'standard'],
    ['knn', 'l2'],
    ['softmax', 'standard'],
  ] as const)(
    'are those of a head on those rows alone, and on all of them its own bytes: %s, %s',
    async (name, kind) => {
      const { X, y } = noisy(15);
      const refits = await refitsOf(createHead(name), { X, labels: y, normalize: kind });
      const whole = await createHead(name).fit(
        matrixRows(applyNormalizer(await fitNormalizer(kind, matrixRows(X)), X)),
        y,
      );
      expect((await refits.whole()).state).toEqual(whole.state);
      const rows = y.flatMap((_, i) => (i % 3 === 0 || i % 4 === 0 ? [i] : []));
      const own = selectRows(X, rows);
      const normalizer = await fitNormalizer(kind, matrixRows(own));
      const alone = await createHead(name).fit(
        matrixRows(applyNormalizer(normalizer, own)),
        rows.map((i) => y[i]!),
      );
      const refit = await refits.on(rows);
      const others = y.flatMap((_, i) => (rows.includes(i) ? [] : [i]));
      const [P, Q] = [
        await refit.head.predictProba(refit.seen(others)),
        await alone.predictProba(applyNormalizer(normalizer, selectRows(X, others))),
      ];
      // Both are optima to `tol`.
      P.data.forEach((p, at) => expect(Math.abs(p - Q.data[at]!)).toBeLessThan(2e-3));
    },
  );
});

describe('what a head says out of fold', () => {
  it('stands in the order of the folds, of rows that the head did not see', async () => {
    const data = noisy(20);
    const { found, refits } = await judged('logistic', data);
    const { train, val } = found.folds[1]!;
    const refit = await refits.on(train);
    const P = await refit.head.predictProba(refit.seen(val));
    const from = found.folds[0]!.val.length;
    val.forEach((i, j) => {
      expect(found.rows[from + j]).toBe(i);
      row(P, j).forEach((p, c) => expect(found.P.data[(from + j) * 3 + c]).toBeCloseTo(p, 4));
    });
  });

  it('ends early for a head that is beaten on the first folds, and never for one that is not', async () => {
    const data = blobs(CLASSES, 60, 12);
    const { found: best, keys } = await judged('logistic', data);
    const named = (found: typeof best) => ({ found, keys: found.rows.map((i) => keys[i]!) });
    const shuffled = data.y.map((_, i) => CLASSES[(i * 7 + Math.floor(i / 5)) % 3]!);
    const refits = await refitsOf(createHead('knn'), { X: data.X, labels: data.y, normalize: 'l2' });
    const wrong = await refitsOf(createHead('knn'), { X: data.X, labels: shuffled, normalize: 'l2' });
    const folds = trainingFolds(data.y, { keys, groups: keys, seed: 1 });
    const race = { isBeaten: (soFar: typeof best) => isBeaten(named(soFar), named(best)) };
    expect((await outOfFold(refits, folds, race)).folds).toHaveLength(5);
    const truth = Int32Array.from(best.rows, (i) => CLASSES.indexOf(data.y[i]!));
    const isWorse = {
      isBeaten: (soFar: typeof best) =>
        isBeaten(named({ ...soFar, truth: truth.slice(0, soFar.rows.length) }), named(best)),
    };
    const stopped = await outOfFold({ ...wrong, labels: data.y }, folds, isWorse);
    expect(stopped.folds.length).toBe(1);
    expect(crossValidated(stopped, false)).toMatchObject({ folds: 1, ofFolds: 5, images: stopped.rows.length });
    const other = named(best);
    expect(isBeaten({ found: stopped, keys: stopped.rows.map(() => 'elsewhere') }, other)).toBe(false);
  });

  it('chooses by accuracy, then log loss, a head that was judged on all folds before one that was not', () => {
    const figures = { accuracy: 0.9, interval: [0.8, 1], logLoss: 0.3, images: 50, folds: 5, ofFolds: 5 } as const;
    const less = { ...figures, accuracy: 0.8 };
    expect(byCrossValidation(figures, less)).toBeLessThan(0);
    expect(byCrossValidation({ ...figures, logLoss: 0.2 }, figures)).toBeLessThan(0);
    expect(byCrossValidation({ ...figures, accuracy: 1, folds: 1 }, less)).toBeGreaterThan(0);
    expect(byCrossValidation(undefined, less)).toBeGreaterThan(0);
  });
});

describe('one temperature of the out-of-fold scores', () => {
  it.each(['ridge', 'linear-svm', 'knn', 'softmax', 'centroid'] as const)(
    'lowers the log loss of rows that nobody saw, and changes no answer: %s',
    async (name) => {
      const data = noisy(60);
      const fresh = noisy(200);
      const rows = Array.from({ length: 420 }, (_, i) => 180 + i);
      const X = selectRows(fresh.X, rows);
      const { found, refits } = await judged(name, {
        X: selectRows(
          fresh.X,
          Array.from({ length: 180 }, (_, i) => i),
        ),
        y: data.y,
      });
      const plain = await refits.whole();
      const head = scaledHead(plain, temperatureOf(found));
      const seen = applyNormalizer(refits.normalizer, X);
      const [P, Q] = [await plain.predictProba(seen), await head.predictProba(seen)];
      const truth = Int32Array.from(rows, (i) => CLASSES.indexOf(fresh.y[i]!));
      expect(topClass(Q)).toEqual(topClass(P));
      expect(logLoss(truth, Q)).toBeLessThan(logLoss(truth, P));
      // Logits stay those behind the probabilities.
      const logits = await head.logits?.(seen);
      if (logits === undefined) return;
      for (let i = 0; i < 5; i++) {
        const e = [...row(logits, i)].map(Math.exp);
        const sum = e.reduce((a, b) => a + b, 0);
        e.forEach((value, c) => expect(value / sum).toBeCloseTo(row(Q, i)[c]!, 4));
      }
    },
  );

  it('makes no certainty of a few right answers', () => {
    const P = matrix(10, 2);
    for (let i = 0; i < 10; i++) P.data.set([0.7, 0.3], 2 * i);
    const truth = new Int32Array(10);
    expect(fitTemperature(truth, P)).toBeLessThan(0.02);
    const temperature = temperatureOf({ truth, P });
    const sure = 1 / (1 + (0.3 / 0.7) ** (1 / temperature));
    expect(sure).toBeCloseTo(11 / 12, 6);
  });

  it('is that of the other folds for each fold', () => {
    const P = matrix(40, 2);
    const truth = new Int32Array(40);
    for (let i = 0; i < 40; i++) {
      const p = 0.5 + ((i * 7) % 13) / 30;
      P.data.set([p, 1 - p], 2 * i);
      truth[i] = Number(i % 5 === 0);
    }
    const halves = [0, 1].map((half) => Array.from({ length: 20 }, (_, i) => half * 20 + i));
    const scaled = scaledAcross(truth, P, halves);
    const from = { truth: truth.slice(20), P: selectRows(P, halves[1]!) };
    const odds = Math.log(P.data[0]! / P.data[1]!) / temperatureOf(from);
    expect(Math.log(scaled.data[0]! / scaled.data[1]!)).toBeCloseTo(odds, 4);
  });
});
