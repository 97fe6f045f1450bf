import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Matrix, matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { designForOne, designOf } from '../../../src/classify/solvers/choose-design.ts';
import { columnDesign } from '../../../src/classify/solvers/column-design.ts';
import type { Design } from '../../../src/classify/solvers/design.ts';
import { gramDesign } from '../../../src/classify/solvers/gram-design.ts';
import { roughGramDesign } from '../../../src/classify/solvers/rough-gram-design.ts';
import { fitLinear, linearWeights } from '../../../src/classify/solvers/linear-fit.ts';
import type { LinearLoss } from '../../../src/classify/solvers/linear-problems.ts';
import { logisticLoss } from '../../../src/classify/solvers/logistic-loss.ts';
import type { Loss } from '../../../src/classify/solvers/loss.ts';
import { squaredErrorLoss, squaredHingeLoss } from '../../../src/classify/solvers/margin-losses.ts';
import { integerProductsHold } from '../../../src/classify/linalg/integer-products.ts';
import { columnStatistics } from '../../../src/classify/solvers/row-statistics.ts';
import { blobs, expectCode } from '../heads/head-contract.ts';

const holds = await integerProductsHold();

function noise(rows: number, cols: number, seed: number, level = 0): Matrix {
  const source = random(seed);
  return matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => level + source.normal()),
  );
}

const scoresCase = fc.record({
  k: fc.integer({ min: 1, max: 5 }),
  seed: fc.integer(),
  size: fc.constantFrom(0.1, 1, 20),
});

function drawn({ k, seed, size }: { k: number; seed: number; size: number }) {
  const n = 7;
  const source = random(seed);
  const F = Float64Array.from({ length: n * k }, () => size * source.normal());
  const U = Float64Array.from({ length: n * k }, () => source.normal());
  const y = Int32Array.from({ length: n }, () => source.below(Math.max(2, k)));
  // One row takes no part.
  const weights = Float64Array.from({ length: n }, (_, i) => (i === 3 ? 0 : 1 + source.uniform()));
  const sum = weights.reduce((a, b) => a + b, 0);
  return { k, F, U, y, sampleWeights: weights.map((w) => w / sum) };
}

const moved = (F: Float64Array, U: Float64Array, t: number) => F.map((value, at) => value + t * U[at]!);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
const signs = (y: Int32Array) => Float64Array.from(y, (c) => (c === 1 ? 1 : -1));
const STEP = 1e-5;

const LOSSES: readonly [string, (drawn: { k: number; y: Int32Array; sampleWeights: Float64Array }) => Loss][] = [
  ['logistic', ({ k, y, sampleWeights }) => logisticLoss(y, k, sampleWeights)],
  ['squared hinge', ({ y, sampleWeights }) => squaredHingeLoss(signs(y), sampleWeights)],
  ['squared error', ({ y, sampleWeights }) => squaredErrorLoss(signs(y), sampleWeights)],
];

describe.each(LOSSES)('the %s loss', (name, make) => {
  const one = (given: { k: number; seed: number; size: number }) =>
    drawn({ ...given, k: name === 'logistic' ? given.k : 1 });

  it('has the gradient that finite differences show, and no part for rows without weight', () => {
    fc.assert(
      fc.property(scoresCase, (given) => {
        const { F, U, k, ...rest } = one(given);
        const loss = make({ k, ...rest });
        const { residuals } = loss.at(F);
        const rise = loss.at(moved(F, U, STEP)).value - loss.at(moved(F, U, -STEP)).value;
        expect(dot(residuals, U)).toBeCloseTo(rise / (2 * STEP), 6);
        expect(residuals.slice(3 * k, 4 * k).every((r) => r === 0)).toBe(true);
      }),
    );
  });

  it('has the curvature that differences of the gradient show', () => {
    fc.assert(
      fc.property(scoresCase, (given) => {
        const { F, U, k, y, ...rest } = one(given);
        // Where a row meets the margin the hinge has no second derivative to compare with.
        fc.pre(name !== 'squared hinge' || F.every((f, i) => Math.abs(1 - signs(y)[i]! * f) > 1e-3));
        const loss = make({ k, y, ...rest });
        const [after, before] = [loss.at(moved(F, U, STEP)).residuals, loss.at(moved(F, U, -STEP)).residuals];
        loss
          .at(F)
          .hessian(U)
          .forEach((value, at) => {
            expect(value).toBeCloseTo((after[at]! - before[at]!) / (2 * STEP), 6);
          });
      }),
    );
  });
});

describe('the logistic loss', () => {
  it('overflows for no score', () => {
    for (const k of [1, 3]) {
      const F = new Float64Array(2 * k).fill(-1e4);
      F[0] = 1e4;
      const { value, residuals } = logisticLoss(Int32Array.of(k === 1 ? 0 : 1, 0), k, Float64Array.of(0.5, 0.5)).at(F);
      expect(value).toBeGreaterThan(1e3);
      expect(Number.isFinite(value)).toBe(true);
      expect(residuals.every((r) => Math.abs(r) <= 0.5)).toBe(true);
    }
  });
});

/** The uncentred gradient by plain float64 loops, largest absolute value over weights and intercepts. */
function plainGradient(X: Matrix, y: Int32Array, k: number, C: number, W: Float64Array, b: Float64Array): number {
  const F = new Float64Array(X.rows * k);
  const each = (visit: (i: number, j: number, c: number) => void) => {
    for (let i = 0; i < X.rows; i++) for (let j = 0; j < X.cols; j++) for (let c = 0; c < k; c++) visit(i, j, c);
  };
  each((i, j, c) => (F[i * k + c]! += X.data[i * X.cols + j]! * W[j * k + c]!));
  F.forEach((_, at) => (F[at]! += b[at % k]!));
  const R = logisticLoss(y, k, new Float64Array(X.rows).fill(1 / X.rows)).at(F).residuals;
  const G = W.map((w) => w / (C * X.rows));
  each((i, j, c) => (G[j * k + c]! += X.data[i * X.cols + j]! * R[i * k + c]!));
  const B = new Float64Array(k);
  R.forEach((r, at) => (B[at % k]! += r));
  return Math.max(...[...G, ...B].map(Math.abs));
}

async function optimum(
  design: Design,
  y: Int32Array,
  classes: number,
  C: number,
  tol: number,
  loss: LinearLoss = 'logistic',
) {
  const task = { loss, y, classes, classWeight: 'none' } as const;
  const fit = await fitLinear(design, task, { C, tol, maxIter: 100 });
  return { ...fit, ...(await linearWeights(design, fit)) };
}

describe('the logistic solver', () => {
  it('reaches a gradient of 1e-10 that a plain computation confirms', async () => {
    for (const [classes, level] of [
      [2, 0],
      [2, 5],
      [4, 0],
      [4, 5],
    ] as const) {
      const X = noise(50, 8, 3, level);
      const y = Int32Array.from({ length: 50 }, (_, i) => (i * 7) % classes);
      const design = columnDesign(X);
      const { converged, gradient, points, k } = await optimum(design, y, classes, 2, 1e-10);
      expect(converged).toBe(true);
      expect(gradient).toBeLessThanOrEqual(1e-10);
      const [{ coef, bias }] = points as [(typeof points)[0]];
      const { mean, unit } = { mean: columnStatistics(X).mean, unit: Math.sqrt(design.meanSquaredNorm) };
      const b = bias.map((value, c) => value * unit - mean.reduce((sum, m, j) => sum + m * coef[j * k + c]!, 0));
      expect(plainGradient(X, y, k, 2, coef, b)).toBeLessThanOrEqual(1.1e-10);
    }
  });

  it.each(['logistic', 'squaredHinge', 'squaredError'] as const)(
    'finds the same optimum of %s by columns and in the span of the rows',
    async (loss) => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            n: fc.integer({ min: 4, max: 20 }),
            // The Gram matrix is taken where there are at least as many columns as rows (choose-design.ts).
            wider: fc.integer({ min: 0, max: 30 }),
            classes: fc.constantFrom(2, 3),
            C: fc.constantFrom(0.1, 1, 10),
            level: fc.constantFrom(0, 2),
            seed: fc.integer(),
          }),
          async ({ n, wider, classes, C, level, seed }) => {
            const X = noise(n, n + wider, seed, level);
            const y = Int32Array.from({ length: n }, (_, i) => i % classes);
            const byColumns = await optimum(columnDesign(X), y, classes, C, 1e-8, loss);
            const byRows = await optimum(await gramDesign(X), y, classes, C, 1e-8, loss);
            expect([byColumns.converged, byRows.converged]).toEqual([true, true]);
            // The products of the Gram matrix are float32: their rounding, times the coefficients, which C bounds.
            const size = byColumns.weights.data.reduce((most, w) => Math.max(most, Math.abs(w)), 1);
            byRows.weights.data.forEach((w, at) => {
              expect(Math.abs(w - byColumns.weights.data[at]!)).toBeLessThan(1e-4 * size);
            });
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  // A processor that does not sum products of 8 bits exactly never gets a rough Gram matrix.
  const withIntegers = it.skipIf(!holds);

  withIntegers('takes a rough Gram matrix for a single fit of many wide rows, to the same optimum', async () => {
    for (const [level, classes, loss, C] of [
      [0, 2, 'logistic', 0.001],
      [1, 3, 'logistic', 1],
      [1, 2, 'squaredHinge', 0.1],
    ] as const) {
      const X = noise(520, 2100, 8, level);
      const y = Int32Array.from({ length: X.rows }, (_, i) => {
        const signal = X.data[i * X.cols]! + X.data[i * X.cols + 1]! - 2 * level;
        return classes === 2 ? Number(signal > 0) : signal > 0.6 ? 2 : Number(signal > -0.6);
      });
      const tol = 5e-4;
      const one = await designForOne(X, { C, tol });
      expect(one.rough).toBeDefined();
      const rough = await optimum(one, y, classes, C, tol, loss);
      expect(rough.converged).toBe(true);
      // The gradient by the columns of X, in float64, with nothing of the 8-bit products.
      const { k } = rough;
      const exact = await optimum(await designOf(X), y, classes, C, 1e-9, loss);
      // A gradient of tol moves the weights by up to tol over the penalty, 1 / (C · n), and scores by that times a
      // row's length.
      const bound = 2 * tol * C * X.rows * Math.sqrt(X.cols);
      let [most, far] = [0, 0];
      for (let at = 0; at < X.rows * k; at++) {
        most = Math.max(most, Math.abs(exact.logits[at]!));
        far = Math.max(far, Math.abs(rough.logits[at]! - exact.logits[at]!));
      }
      expect(far).toBeLessThan(Math.min(bound, most / 20));
      if (loss === 'logistic' && k > 1) {
        const { data } = rough.weights;
        const gradient = plainGradient(X, y, k, C, new Float64Array(data), new Float64Array(rough.intercept));
        expect(gradient).toBeLessThan(tol + 1e-5);
        expect(rough.gradient).toBeGreaterThan(gradient - 1e-5);
      }
    }
  });

  withIntegers(
    'takes exact products for a tolerance that needs them, and for a penalty so weak that rounding would decide',
    async () => {
      const X = noise(520, 600, 8);
      expect((await designForOne(X, { C: 1, tol: 1e-4 * Math.sqrt(600) })).rough).toBeDefined();
      for (const [C, tol] of [
        [1, 1e-9],
        [1e6, 1e-2],
      ] as const) {
        const { rough, size } = await designForOne(X, { C, tol });
        expect({ rough, size }).toEqual({ rough: undefined, size: X.rows });
      }
    },
  );

  withIntegers('corrects a rough Gram matrix that is too far off to lead to the optimum by itself', async () => {
    const X = noise(520, 600, 9);
    const y = Int32Array.from({ length: X.rows }, (_, i) => Number(X.data[i * X.cols]! > 0));
    const [C, tol] = [0.01, 1e-3];
    const one = await roughGramDesign(X);
    const alone = await optimum(one.rough!, y, 2, C, tol);
    // Products half as large again: their optimum is not that of X.
    const wrong = {
      ...one,
      rough: {
        ...one.rough!,
        logits: async (...of: Parameters<Design['logits']>) => (await one.rough!.logits(...of)).map((s) => 1.5 * s),
      },
    };
    const corrected = await optimum(wrong, y, 2, C, tol);
    expect(corrected.converged).toBe(true);
    expect(corrected.gradient).toBeLessThanOrEqual(tol);
    const off = Math.max(...corrected.logits.map((s, at) => Math.abs(s - alone.logits[at]!)));
    expect(off).toBeLessThan(0.05 * Math.max(...alone.logits.map(Math.abs)));
    expect(corrected.iterations).toBeGreaterThan(alone.iterations);
  });

  it('does not move when the features are shifted', async () => {
    const X = noise(30, 6, 5);
    const y = Int32Array.from({ length: 30 }, (_, i) => i % 2);
    const there = await optimum(columnDesign(X), y, 2, 1, 1e-9);
    const shifted = { ...X, data: X.data.map((value) => value + 64) };
    const here = await optimum(columnDesign(shifted), y, 2, 1, 1e-9);
    here.weights.data.forEach((w, at) => {
      expect(w).toBeCloseTo(there.weights.data[at]!, 4);
    });
  });

  it('tells that it did not converge, and how far it came', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 50);
    const head = await createHead('logistic', { C: 1000, maxIter: 2, tol: 1e-8 }).fit(matrixRows(X), y);
    expect(head).toMatchObject({ converged: false, iterations: 2 });
    expect(head.notes[0]).toMatch(/not converged: the largest absolute gradient is \d.* after 2 of 2 iterations/);
  });

  it('stops when it is aborted', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 50);
    const signal = AbortSignal.abort();
    await expectCode(createHead('logistic').fit(matrixRows(X), y, { signal }), 'INTERRUPTED', /interrupted/);
  });
});
