import { describe, expect, it } from 'vitest';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { matrixRows, type Rows } from '../../../src/core/rows.ts';
import type { FittedHead } from '../../../src/classify/head.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { rejection } from '../../support/errors.ts';
import { blockRows } from '../../support/rows.ts';
import { formulaFeatures, formulaLabels } from './formula-data.ts';
import { blobs } from './head-contract.ts';

const SHAPES = [
  [60, 4, 3],
  [18, 40, 3],
  [60, 4, 2],
  [18, 40, 2],
] as const;

describe.each([
  ['logistic', [{ C: 1 }, { C: 100, classWeight: 'balanced' }]],
  ['linear-svm', [{ C: 1 }, { C: 10, classWeight: 'balanced' }]],
  ['ridge', [{ alpha: 1 }, { alpha: 0.01, classWeight: 'balanced' }]],
] as const)('the head %s on a stream', (name, settings) => {
  it.each(SHAPES)('has the optimum of the fit in memory: %i x %i, %i classes', async (n, d, k) => {
    const [X, y] = [formulaFeatures(n, d, k), formulaLabels(n, k)];
    for (const options of settings) {
      const head = createHead(name, { ...options, tol: 1e-9, maxIter: 500 });
      const whole = await head.fit(matrixRows(X), y);
      for (const size of [1, 7, n]) {
        const streamed = await head.fit(blockRows(X, size), y);
        expect(streamed.converged).toBe(true);
        expect(streamed.classes).toEqual(whole.classes);
        const [a, b] = [await whole.predictProba(X), await streamed.predictProba(X)];
        // Both gradients are at most 1e-9; probabilities and weights are float32.
        a.data.forEach((p, at) => expect(Math.abs(p - b.data[at]!)).toBeLessThan(2e-6));
      }
    }
  });
});

/**
 * Class 1 is that of the rows whose first two columns are large, up to noise; one row in fifty is of a rare third
 * class.
 */
function noisy(rows: number, cols: number, classes: number): { X: Matrix; y: string[] } {
  const source = random(3);
  const X = matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => 0.5 + source.normal()),
  );
  const y = Array.from({ length: rows }, (_, i) => {
    const isLarge = X.data[i * cols]! + X.data[i * cols + 1]! + source.normal() > 1;
    return classes === 3 && i % 50 === 7 ? 'rare' : isLarge ? 'large' : 'small';
  });
  return { X, y };
}

describe.each([
  ['logistic', { C: 1 }],
  ['linear-svm', { C: 1 }],
  ['linear-svm', { C: 10_000 }],
  ['ridge', { alpha: 1 }],
] as const)('the head %s with %o at its own tolerance', (name, options) => {
  // Of 700 rows of 8 columns a sample tells the Hessian, and the fit starts at its optimum; of 200 it does not.
  it.each([
    [700, 8, 2],
    [700, 8, 3],
    [200, 30, 3],
    [40, 60, 2],
  ])('agrees in memory and in blocks: %i x %i, %i classes', async (rows, cols, classes) => {
    const { X, y } = noisy(rows, cols, classes);
    for (const maxIter of [1, 100]) {
      const head = createHead(name, { ...options, maxIter });
      const fits = [
        await head.fit(matrixRows(X), y),
        await head.fit(blockRows(X, 64), y),
        await createHead(name, { ...options, tol: 1e-10, maxIter: 1000 }).fit(matrixRows(X), y),
      ] as const;
      const [whole, streamed] = fits;
      if (maxIter === 1) {
        // One step solves a quadratic objective; the system of ridge in blocks is solved in one pass.
        if (name !== 'ridge') expect([whole.converged, streamed.converged]).toEqual([false, false]);
        continue;
      }
      expect(fits.map(({ converged }) => converged)).toEqual([true, true, true]);
      const [a, b, best] = await Promise.all(fits.map((fit) => fit.predictProba(X)));
      // A gradient of tol moves the weights by up to tol over the penalty, 1 / (C · n), and logits by that times a
      // row's length; a duality gap of a thousandth of the objective moves them by far less than its root.
      const { tol, C = 1 } = head.params as { tol: number; C?: number };
      const bound = Math.min(0.05, 2 * tol * C * rows * Math.sqrt(cols) * Math.sqrt(1.25 * cols));
      a!.data.forEach((p, at) => {
        expect(Math.abs(p - b!.data[at]!)).toBeLessThan(bound);
        expect(Math.abs(best!.data[at]! - b!.data[at]!)).toBeLessThan(bound);
      });
    }
  });
});

describe('the linear-svm head on a stream', () => {
  it.each([
    [700, 8],
    [200, 30],
  ])('is within the duality gap of the optimum where the penalty is weak: %i x %i', async (rows, cols) => {
    const { X, y } = noisy(rows, cols, 2);
    const C = 10_000;
    const valueOf = async (fit: FittedHead): Promise<number> => {
      const { data } = await fit.logits!(X);
      const losses = data.reduce((sum, s, i) => sum + Math.max(0, 1 - (y[i] === 'small' ? s : -s)) ** 2, 0);
      const weights = fit.state.tensors.get('weights')!.data as Float32Array;
      return losses / rows + weights.reduce((sum, w) => sum + w * w, 0) / (2 * C * rows);
    };
    const fit = (source: Rows, tol: number) => createHead('linear-svm', { C, tol, maxIter: 1000 }).fit(source, y);
    const least = await valueOf(await fit(matrixRows(X), 1e-10));
    // The loosest tolerance is met at once: only the gap keeps the fit going.
    for (const tol of [1e-4, 10]) {
      const streamed = await fit(blockRows(X, 64), tol);
      expect(streamed.converged).toBe(true);
      expect((await valueOf(streamed)) / least).toBeLessThan(1 + 1e-3);
      expect((await valueOf(streamed)) / least).toBeGreaterThan(1 - 1e-6);
    }
  });
});

describe('the ridge head on a stream', () => {
  it.each(SHAPES)('chooses as in memory by leave-one-out: %i x %i, %i classes', async (n, d, k) => {
    const [X, y] = [formulaFeatures(n, d, k), formulaLabels(n, k)];
    for (const classWeight of ['none', 'balanced'] as const) {
      const head = createHead('ridge', { alphas: '0.001,0.1,1,30', classWeight });
      const whole = await head.fit(matrixRows(X), y);
      const wanted = whole.state.json.leaveOneOut as { errors: number[]; alpha: number };
      for (const size of [1, 7, n]) {
        const streamed = await head.fit(blockRows(X, size), y);
        const found = streamed.state.json.leaveOneOut as typeof wanted;
        expect(found.alpha).toBe(wanted.alpha);
        // In memory the rows are centred by float32 means, and a small alpha divides what that leaves.
        found.errors.forEach((error, a) => expect(error / wanted.errors[a]!).toBeCloseTo(1, 4));
        const [a, b] = [await whole.predictProba(X), await streamed.predictProba(X)];
        a.data.forEach((p, at) => expect(Math.abs(p - b.data[at]!)).toBeLessThan(2e-6));
        expect(streamed.notes).toEqual(['fitted in 2 passes over the stored features', ...whole.notes]);
      }
    }
  });

  it('keeps its digits where columns are large beside their spread', async () => {
    const { X, y } = blobs(['ant', 'bee', 'cat'], 30, 12);
    const shifted = { ...X, data: X.data.map((value) => Math.fround(value) + 1024) };
    const head = createHead('ridge', { alpha: 0.5 });
    const [near, far] = [
      await (await head.fit(blockRows(X, 16), y)).logits!(X),
      await (await head.fit(blockRows(shifted, 16), y)).logits!(shifted),
    ];
    // Float32 keeps a value near 1024 to 6e-5.
    near.data.forEach((s, at) => expect(Math.abs(s - far.data[at]!)).toBeLessThan(2e-3));
  });

  it('takes one pass where one penalty is given, and goes by conjugate gradients where rows are wide', async () => {
    const passes = async (cols: number) => {
      const { X, y } = blobs(['ant', 'bee', 'cat'], 10, cols);
      const head = createHead('ridge', { tol: 1e-8 });
      const streamed = await head.fit(blockRows(X, 8), y);
      const [a, b] = [await (await head.fit(matrixRows(X), y)).predictProba(X), await streamed.predictProba(X)];
      a.data.forEach((p, at) => expect(Math.abs(p - b.data[at]!)).toBeLessThan(1e-5));
      return streamed.notes[0];
    };
    expect(await passes(2048)).toBe('fitted in 1 pass over the stored features');
    expect(await passes(2049)).toMatch(/^fitted in ([4-9]|\d\d) passes/);
  });
});

describe('the logistic head on a stream', () => {
  it('takes about as many Newton steps, and says how many passes', async () => {
    const { X, y } = blobs(['ant', 'bee', 'cat'], 40, 30);
    const head = createHead('logistic', { C: 10 });
    const [whole, streamed] = [await head.fit(matrixRows(X), y), await head.fit(blockRows(X, 32), y)];
    expect(Math.abs(whole.iterations - streamed.iterations)).toBeLessThanOrEqual(1);
    expect(streamed.notes[0]).toMatch(/^fitted in \d+ passes over the stored features$/);
  });

  it('gives the same bytes again', async () => {
    const { X, y } = blobs(['ant', 'bee', 'cat'], 20, 30);
    const fit = () => createHead('logistic').fit(blockRows(X, 8), y);
    expect((await fit()).state).toEqual((await fit()).state);
  });

  it('says when it did not converge', async () => {
    const { X, y } = blobs(['ant', 'bee', 'cat'], 20, 30);
    const streamed = await createHead('logistic', { maxIter: 1, tol: 1e-8 }).fit(blockRows(X, 8), y);
    expect(streamed.converged).toBe(false);
    expect(streamed.notes.at(-1)).toMatch(/not converged/);
  });

  it('refuses what the fit in memory refuses', async () => {
    const { X, y } = blobs(['ant', 'bee'], 5, 4);
    const head = createHead('logistic');
    await rejection(head.fit(blockRows(X, 4), y.slice(1)), 'FIT_INVALID');
    await rejection(
      head.fit(
        blockRows(X, 4),
        y.map(() => 'ant'),
      ),
      'FIT_INVALID',
    );
    const broken = { ...X, data: X.data.slice() };
    broken.data[33] = NaN;
    await rejection(head.fit(blockRows(broken, 4), y), 'FIT_INVALID');
    const signal = AbortSignal.abort();
    await rejection(head.fit(blockRows(X, 4), y, { signal }), 'INTERRUPTED');
  });
});
