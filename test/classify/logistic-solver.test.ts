import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../src/core/matrix.ts';
import { matrix } from '../../src/core/matrix.ts';
import { random } from '../../src/core/random.ts';
import { createHead } from '../../src/classify/heads/index.ts';
import { columnDesign } from '../../src/classify/solvers/column-design.ts';
import type { Design } from '../../src/classify/solvers/design.ts';
import { curvature, evaluate, residuals } from '../../src/classify/solvers/logistic-loss.ts';
import { logisticProblem } from '../../src/classify/solvers/logistic-problem.ts';
import { newtonCg } from '../../src/classify/solvers/newton-cg.ts';
import { rowDesign } from '../../src/classify/solvers/row-design.ts';
import { blobs, expectCode } from './head-contract.ts';

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
  return {
    k,
    F: Float64Array.from({ length: n * k }, () => size * source.normal()),
    U: Float64Array.from({ length: n * k }, () => source.normal()),
    y: Int32Array.from({ length: n }, () => source.below(Math.max(2, k))),
  };
}

const moved = (F: Float64Array, U: Float64Array, t: number) => F.map((value, at) => value + t * U[at]!);
const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
const STEP = 1e-5;

describe('the logistic loss', () => {
  it('has the gradient that finite differences show', () => {
    fc.assert(
      fc.property(scoresCase, (given) => {
        const { k, F, U, y } = drawn(given);
        const slope = dot(residuals(evaluate(F, y, k).probabilities, y, k), U);
        const rise = evaluate(moved(F, U, STEP), y, k).loss - evaluate(moved(F, U, -STEP), y, k).loss;
        expect(slope).toBeCloseTo(rise / (2 * STEP), 7);
      }),
    );
  });

  it('has the curvature that differences of the gradient show', () => {
    fc.assert(
      fc.property(scoresCase, (given) => {
        const { k, F, U, y } = drawn(given);
        const gradient = (t: number) => residuals(evaluate(moved(F, U, t), y, k).probabilities, y, k);
        const [after, before] = [gradient(STEP), gradient(-STEP)];
        const bent = curvature(evaluate(F, y, k).probabilities, U, k);
        bent.forEach((value, at) => {
          expect(value).toBeCloseTo((after[at]! - before[at]!) / (2 * STEP), 7);
        });
      }),
    );
  });

  it('overflows for no score', () => {
    for (const k of [1, 3]) {
      const F = new Float64Array(2 * k).fill(-1e4);
      F[0] = 1e4;
      const { loss, probabilities } = evaluate(F, Int32Array.of(k === 1 ? 0 : 1, 0), k);
      expect(loss).toBeGreaterThan(1e3);
      expect(Number.isFinite(loss)).toBe(true);
      expect(probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
    }
  });
});

/** The uncentred gradient by plain float64 loops, largest absolute value over weights and intercepts. */
function plainGradient(
  X: Matrix,
  y: Int32Array,
  k: number,
  C: number,
  W: Float64Array,
  b: Float64Array,
): number {
  const F = new Float64Array(X.rows * k);
  const each = (visit: (i: number, j: number, c: number) => void) => {
    for (let i = 0; i < X.rows; i++)
      for (let j = 0; j < X.cols; j++) for (let c = 0; c < k; c++) visit(i, j, c);
  };
  each((i, j, c) => (F[i * k + c]! += X.data[i * X.cols + j]! * W[j * k + c]!));
  F.forEach((_, at) => (F[at]! += b[at % k]!));
  const R = residuals(evaluate(F, y, k).probabilities, y, k);
  const G = W.map((w) => w / (C * X.rows));
  each((i, j, c) => (G[j * k + c]! += X.data[i * X.cols + j]! * R[i * k + c]!));
  const B = new Float64Array(k);
  R.forEach((r, at) => (B[at % k]! += r));
  return Math.max(...[...G, ...B].map(Math.abs));
}

async function optimum(design: Design, y: Int32Array, k: number, C: number, tol: number) {
  const problem = logisticProblem(design, y, k, C);
  const { point, ...rest } = await newtonCg(problem, { tol, maxIter: 100 });
  const { weights, meanScores } = await design.weights(point.coef, k);
  return {
    ...rest,
    weights,
    coef: point.coef,
    b: point.bias.map((bias, c) => bias * problem.unit - meanScores[c]!),
  };
}

describe('the logistic solver', () => {
  it('reaches a gradient of 1e-10 that a plain computation confirms', async () => {
    for (const [k, level] of [
      [1, 0],
      [1, 5],
      [4, 0],
      [4, 5],
    ] as const) {
      const X = noise(50, 8, 3, level);
      const y = Int32Array.from({ length: 50 }, (_, i) => (i * 7) % Math.max(2, k));
      const { converged, gradient, coef, b } = await optimum(columnDesign(X), y, k, 2, 1e-10);
      expect(converged).toBe(true);
      expect(gradient).toBeLessThanOrEqual(1e-10);
      expect(plainGradient(X, y, k, 2, coef, b)).toBeLessThanOrEqual(1.1e-10);
    }
  });

  it('finds the same optimum by columns and in the span of the rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          n: fc.integer({ min: 4, max: 20 }),
          d: fc.integer({ min: 1, max: 40 }),
          k: fc.constantFrom(1, 3),
          C: fc.constantFrom(0.1, 1, 10),
          level: fc.constantFrom(0, 2),
          seed: fc.integer(),
        }),
        async ({ n, d, k, C, level, seed }) => {
          const X = noise(n, d, seed, level);
          const y = Int32Array.from({ length: n }, (_, i) => i % Math.max(2, k));
          const byColumns = await optimum(columnDesign(X), y, k, C, 1e-9);
          const byRows = await optimum(await rowDesign(X), y, k, C, 1e-9);
          expect([byColumns.converged, byRows.converged]).toEqual([true, true]);
          // The Gram matrix is float32: its rounding, times the coefficients, which C bounds.
          const size = byColumns.weights.data.reduce((most, w) => Math.max(most, Math.abs(w)), 1);
          byRows.weights.data.forEach((w, at) => {
            expect(Math.abs(w - byColumns.weights.data[at]!)).toBeLessThan(1e-4 * size);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('does not move when the features are shifted', async () => {
    const X = noise(30, 6, 5);
    const y = Int32Array.from({ length: 30 }, (_, i) => i % 2);
    const there = await optimum(columnDesign(X), y, 1, 1, 1e-9);
    const shifted = { ...X, data: X.data.map((value) => value + 64) };
    const here = await optimum(columnDesign(shifted), y, 1, 1, 1e-9);
    here.weights.data.forEach((w, at) => {
      expect(w).toBeCloseTo(there.weights.data[at]!, 4);
    });
  });

  it('tells that it did not converge, and how far it came', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 50);
    const head = await createHead('logistic', { C: 1000, maxIter: 2, tol: 1e-8 }).fit(X, y);
    expect(head).toMatchObject({ converged: false, iterations: 2 });
    expect(head.notes[0]).toMatch(
      /not converged: the largest absolute gradient is \d.* after 2 of 2 iterations/,
    );
  });

  it('stops when it is aborted', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 50);
    const signal = AbortSignal.abort();
    await expectCode(createHead('logistic').fit(X, y, { signal }), 'INTERRUPTED', /interrupted/);
  });
});
