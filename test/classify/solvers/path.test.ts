import { describe, expect, it } from 'vitest';
import { matrix, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { stratifiedKFold } from '../../../src/classify/evaluate/split.ts';
import { designOf } from '../../../src/classify/solvers/choose-design.ts';
import { inverseCholesky } from '../../../src/classify/linalg/inverse-cholesky.ts';
import { joinedProducts } from '../../../src/classify/solvers/joined-products.ts';
import { fitLinear } from '../../../src/classify/solvers/linear-fit.ts';
import { bestOf, crossValidatePath, fitPath } from '../../../src/classify/solvers/path.ts';
import { ridgePath } from '../../../src/classify/solvers/ridge-path.ts';
import { classWeights } from '../../../src/classify/solvers/class-weights.ts';
import { blobs, expectCode } from '../heads/head-contract.ts';

/** Blobs with noise enough that folds disagree. */
function noisy(classes: number, each: number, cols: number): { X: Matrix; y: Int32Array; labels: string[] } {
  const names = [...'abcdefg'].slice(0, classes);
  const { X, y } = blobs(names, each, cols);
  const source = random(9);
  const data = X.data.map((value) => value + 2 * source.normal());
  return { X: { ...X, data }, y: Int32Array.from(y, (label) => names.indexOf(label)), labels: y };
}

const stop = { tol: 1e-8, maxIter: 100 };
const Cs = [0.001, 0.03, 1];

describe.each([
  ['more columns than rows', 90],
  ['more rows than columns', 12],
])('a path with folds on one design, %s', (_, cols) => {
  it.each([
    ['logistic', 'logistic', 2],
    ['logistic', 'logistic', 3],
    ['squaredHinge', 'linear-svm', 2],
    ['squaredHinge', 'linear-svm', 3],
    ['squaredError', 'ridge', 3],
  ] as const)(
    'gives for %s what the head %s, fitted on the rows of the fold alone, gives; %d classes',
    async (loss, name, classes) => {
      const { X, y, labels } = noisy(classes, 20, cols);
      const folds = stratifiedKFold(labels, { keys: labels.map((_, i) => String(i)), nSplits: 3, seed: 1 });
      const design = await designOf(X);
      for (const classWeight of ['none', 'balanced'] as const) {
        const task = { loss: loss, y, classes, classWeight };
        const path = await crossValidatePath(design, task, Cs, folds, stop);
        for (const { C, heldOut, k, converged, accuracies } of path) {
          expect(converged).toBe(true);
          for (const [fold, { train, val }] of folds.entries()) {
            const strength = name === 'ridge' ? { alpha: 1 / C } : { C };
            const head = await createHead(name, { ...strength, classWeight, tol: 1e-8 }).fit(
              matrixRows(selectRows(X, train)),
              train.map((i) => labels[i]!),
            );
            const weights = head.state.tensors.get('weights')!.data;
            const intercept = head.state.tensors.get('intercept')!.data;
            let right = 0;
            for (const i of val) {
              const scores = Array.from(intercept, (b, c) => {
                let sum = b;
                for (let j = 0; j < cols; j++) sum += X.data[i * cols + j]! * weights[j * k + c]!;
                expect(Math.abs(heldOut[i * k + c]! - sum)).toBeLessThan(1e-4);
                return sum;
              });
              const guess = k === 1 ? Number(scores[0]! > 0) : scores.indexOf(Math.max(...scores));
              right += Number(guess === y[i]);
            }
            expect(accuracies[fold]).toBeCloseTo(right / val.length, 12);
          }
        }
      }
    },
  );

  it('ends where a cold start ends, in the order that was asked for', async () => {
    const { X, y } = noisy(3, 20, cols);
    const design = await designOf(X);
    const task = { loss: 'logistic', y, classes: 3, classWeight: 'none' } as const;
    const path = await fitPath(design, task, [10, 0.1, 1], stop);
    expect(path.map(({ C }) => C)).toEqual([10, 0.1, 1]);
    for (const warm of path) {
      const cold = await fitLinear(design, task, { ...stop, C: warm.C });
      warm.logits.forEach((logit, at) => expect(Math.abs(logit - cold.logits[at]!)).toBeLessThan(1e-4));
      expect(warm.gradient).toBeLessThanOrEqual(stop.tol);
      expect(warm.iterations).toBeGreaterThan(0);
    }
  });

  it('tells when a fit did not converge', async () => {
    const { X, y } = noisy(3, 20, cols);
    const task = { loss: 'logistic', y, classes: 3, classWeight: 'none' } as const;
    const [fit] = await fitPath(await designOf(X), task, [100], { tol: 1e-10, maxIter: 1 });
    expect(fit).toMatchObject({ converged: false, iterations: 1 });
    expect(fit!.gradient).toBeGreaterThan(1e-10);
  });
});

describe('cross-validation', () => {
  it('refuses a fold that lacks a class', async () => {
    const { X, y } = noisy(2, 3, 8);
    const task = { loss: 'logistic', y, classes: 2, classWeight: 'none' } as const;
    const folds = [{ train: [0, 2, 4], val: [1, 3, 5] }];
    await expectCode(
      crossValidatePath(await designOf(X), task, [1], folds, stop),
      'FIT_INVALID',
      /trains on 1 of 2 classes/,
    );
  });

  it('chooses the most accurate C, of equals the smallest', () => {
    const at = (C: number, accuracy: number) => ({ C, accuracy }) as Parameters<typeof bestOf>[0][number];
    expect(bestOf([at(10, 0.9), at(1, 0.9), at(0.1, 0.8)]).C).toBe(1);
  });
});

describe('products that are joined', () => {
  it('are computed together, and each gets its own columns', async () => {
    const calls: number[] = [];
    const product = joinedProducts()((parts: readonly { V: Float64Array }[]) => {
      calls.push(parts.length);
      return Promise.resolve(parts.map(({ V }) => V.map((value) => 2 * value)));
    });
    const all = await Promise.all([product({ V: Float64Array.of(1, 2) }), product({ V: Float64Array.of(3, 4, 5, 6) })]);
    expect(all.map((part) => [...part])).toEqual([
      [2, 4],
      [6, 8, 10, 12],
    ]);
    await product({ V: Float64Array.of(1) });
    expect(calls).toEqual([2, 1]);
  });

  it('of two products make the first one first, so that all ask for the second one together', async () => {
    const calls: string[] = [];
    const joined = joinedProducts();
    const made = (name: string) =>
      joined((requests: readonly number[]) => {
        calls.push(`${name} of ${requests.length}`);
        return Promise.resolve(requests);
      });
    const [cheap, dear] = [made('cheap'), made('dear')];
    async function fit(steps: number): Promise<void> {
      for (let i = 0; i < steps; i++) await cheap(i);
      await dear(steps);
    }
    await Promise.all([fit(0), fit(1), fit(3)]);
    expect(calls).toEqual(['cheap of 2', 'cheap of 1', 'cheap of 1', 'dear of 3']);
  });

  it('go on after one that failed', async () => {
    const joined = joinedProducts();
    const fails = joined(() => Promise.reject(new Error('no memory')));
    const works = joined((requests: readonly number[]) => Promise.resolve(requests));
    const outcomes = await Promise.allSettled([fails(1), works(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await works(3)).toBe(3);
  });

  it('all fail with the one call', async () => {
    const product = joinedProducts()(() => Promise.reject(new Error('no memory')));
    const outcomes = await Promise.allSettled([product(1), product(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('the inverse Cholesky factor', () => {
  it.each([1, 5, 48, 49, 131])('times its transpose is the inverse of a matrix of %d rows', async (n) => {
    const source = random(n);
    const B = Float64Array.from({ length: n * n }, () => source.normal());
    const A = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        A[i * n + j] = i === j ? n : 0;
        for (let p = 0; p < n; p++) A[i * n + j]! += B[i * n + p]! * B[j * n + p]!;
      }
    }
    const L = (await inverseCholesky({ data: A, rows: n, cols: n }))!.data;
    // L⁻¹·A·L⁻ᵀ must be 1, and L⁻¹ have nothing above its diagonal.
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (j > i) expect(L[i * n + j]).toBe(0);
        let sum = 0;
        for (let p = 0; p < n; p++) for (let q = 0; q < n; q++) sum += L[i * n + p]! * A[p * n + q]! * L[j * n + q]!;
        expect(sum).toBeCloseTo(Number(i === j), 10);
        if (n > 60 && j > 3) break;
      }
    }
  });

  it('says when there is none', async () => {
    for (const n of [2, 80]) {
      const A = new Float64Array(n * n);
      for (let i = 0; i < n; i++) A[i * n + i] = i === n - 1 ? -1 : 1;
      expect(await inverseCholesky({ data: A, rows: n, cols: n })).toBeUndefined();
    }
  });
});

describe('leave-one-out of ridge', () => {
  it.each([
    [14, 30],
    [14, 5],
  ])('gives the errors of %d rows by %d columns that fits on all others give', async (n, cols) => {
    const { X, y } = noisy(2, n / 2, cols);
    const { errors, alpha } = await ridgePath(matrixRows(X), { y, classes: 2, classWeight: 'none' }, [3]);
    expect(alpha).toBe(3);
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const others = Array.from({ length: n }, (_, j) => j).filter((j) => j !== i);
      const without = await ridgePath(
        matrixRows(selectRows(X, others)),
        { y: Int32Array.from(others, (j) => y[j]!), classes: 2, classWeight: 'none' },
        [3],
      );
      let score = without.intercept[0]!;
      for (let j = 0; j < cols; j++) score += X.data[i * cols + j]! * without.weights.data[j]!;
      squares += (2 * y[i]! - 1 - score) ** 2;
    }
    expect(Math.abs(errors[0]! - squares / n)).toBeLessThan(2e-5);
  });

  it('says when rows and columns are too many, and when a penalty is too small', async () => {
    const task = { y: Int32Array.of(0, 1), classes: 2, classWeight: 'none' } as const;
    const twice = matrix(4, 2, Float32Array.of(1, 1, 2, 2, 3, 3, 4, 4));
    const y = Int32Array.of(0, 1, 0, 1);
    await expectCode(ridgePath(matrixRows(twice), { ...task, y }, [1e-30]), 'FIT_INVALID', /singular/);
    const wide = matrix(8193, 8193, new Float32Array(0 + 8193 * 8193));
    await expectCode(
      ridgePath(matrixRows(wide), { ...task, y: Int32Array.from({ length: 8193 }, (_, i) => i % 2) }, [1]),
      'FIT_INVALID',
      /at most 8192/,
    );
  });
});

describe('class weights', () => {
  it('balance what is counted', () => {
    const y = Int32Array.of(0, 0, 0, 1, 1, 1, 1, 1, 1);
    expect([...classWeights(y, 2, 'balanced')]).toEqual([1.5, 0.75]);
    expect([...classWeights(y, 2, 'balanced', [0, 3, 4, 5])]).toEqual([2, 2 / 3]);
    expect([...classWeights(y, 3, 'none')]).toEqual([1, 1, 1]);
  });
});
