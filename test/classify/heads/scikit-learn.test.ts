import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { ridgePath } from '../../../src/classify/solvers/ridge-path.ts';
import type { ClassWeight } from '../../../src/classify/solvers/class-weights.ts';
import { formulaFeatures } from './formula-data.ts';

interface Fit {
  readonly n: number;
  readonly d: number;
  readonly k: number;
  readonly classWeight: ClassWeight;
  readonly head: string;
  readonly C?: number;
  readonly alpha?: number;
  readonly alphas?: readonly number[];
  readonly errors?: readonly number[];
  readonly coef: readonly (readonly number[])[];
  readonly intercept: readonly number[];
  readonly decision: readonly (number | readonly number[])[];
  readonly linearSVC?: readonly (number | readonly number[])[];
  readonly proba?: readonly (readonly number[])[];
}

/** Made by test/golden/make_classify.py. */
const { fits } = JSON.parse(readFileSync(new URL('../../golden/classify.json', import.meta.url), 'utf8')) as {
  fits: Fit[];
};

/** The formula's rows without two thirds of class 0, as make_classify.py takes them. */
function imbalanced({ n, d, k }: Fit): { X: Matrix; y: Int32Array } {
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => i % k !== 0 || i % (3 * k) === 0);
  return { X: selectRows(formulaFeatures(n, d, k), kept), y: Int32Array.from(kept, (i) => i % k) };
}

const far = (found: Iterable<number>, expected: readonly number[]): number => {
  const values = [...found];
  return values.length === expected.length
    ? Math.max(...values.map((value, i) => Math.abs(value - expected[i]!) / Math.max(1, Math.abs(expected[i]!))))
    : Infinity;
};
const flat = (values: readonly (number | readonly number[])[]): number[] => values.flatMap((value) => value);

/**
 * Weights are float32, and with more columns than rows the Gram matrix' products too: about 1e-7 a term; measured:
 * below 3e-6.
 */
const TOLERANCE = 1e-5;
/**
 * The same for LinearSVC itself, whose intercept is penalised by a ten-thousandth (intercept_scaling 100); measured:
 * below 2e-4.
 */
const PENALISED_INTERCEPT = 4e-4;

const title = (fit: Fit) =>
  `${fit.n} x ${fit.d}, ${fit.k} classes, class weight ${fit.classWeight}, ${fit.C === undefined ? `alpha ${fit.alpha}` : `C ${fit.C}`}`;

describe.each(['logistic', 'linear-svm', 'ridge'] as const)('the head %s has the optimum of scikit-learn', (name) => {
  it.each(fits.filter(({ head }) => head === name).map((fit) => [title(fit), fit] as const))('%s', async (_, fit) => {
    const { X, y } = imbalanced(fit);
    const strength = fit.C === undefined ? { alpha: fit.alpha } : { C: fit.C };
    const options = { ...strength, classWeight: fit.classWeight, tol: 1e-9 };
    const head = await createHead(name, options).fit(matrixRows(X), Array.from(y, String));
    expect(head.converged).toBe(true);
    const { data: weights } = head.state.tensors.get('weights')!;
    const intercept = [...head.state.tensors.get('intercept')!.data];
    const k = intercept.length;
    const coef = intercept.flatMap((_, c) => [0, 1, 2].map((j) => weights[j * k + c]!));
    expect(far(coef, fit.coef.flat())).toBeLessThan(TOLERANCE);
    expect(far(intercept, fit.intercept)).toBeLessThan(TOLERANCE);
    const decision = [0, 1, 2, 3].flatMap((i) =>
      intercept.map((b, c) => {
        let sum = b;
        for (let j = 0; j < X.cols; j++) sum += X.data[i * X.cols + j]! * weights[j * k + c]!;
        return sum;
      }),
    );
    expect(far(decision, flat(fit.decision))).toBeLessThan(TOLERANCE);
    if (fit.linearSVC !== undefined) {
      expect(far(decision, flat(fit.linearSVC))).toBeLessThan(PENALISED_INTERCEPT);
    }
    if (fit.proba !== undefined) {
      const P = await head.predictProba(X);
      expect(far(P.data.subarray(0, 6 * P.cols), fit.proba.flat())).toBeLessThan(TOLERANCE);
    }
  });

  it('would notice class weights that are not used', async () => {
    const fit = fits.find(({ head, classWeight }) => head === name && classWeight === 'balanced')!;
    const { X, y } = imbalanced(fit);
    const strength = fit.C === undefined ? { alpha: fit.alpha } : { C: fit.C };
    const head = await createHead(name, { ...strength, tol: 1e-9 }).fit(matrixRows(X), Array.from(y, String));
    expect(far(head.state.tensors.get('intercept')!.data, fit.intercept)).toBeGreaterThan(100 * TOLERANCE);
  });
});

describe('the path of ridge penalties is that of RidgeClassifierCV', () => {
  it.each(fits.filter(({ head }) => head === 'ridge-cv').map((fit) => [title(fit), fit] as const))(
    '%s',
    async (_, fit) => {
      const { X, y } = imbalanced(fit);
      const task = { y, classes: fit.k, classWeight: fit.classWeight };
      const found = await ridgePath(matrixRows(X), task, fit.alphas!);
      expect(found.alpha).toBe(fit.alpha);
      expect(far(found.errors, [...fit.errors!])).toBeLessThan(TOLERANCE);
      const k = found.intercept.length;
      const coef = Array.from({ length: k }, (_, c) => [0, 1, 2].map((j) => found.weights.data[j * k + c]!));
      expect(far(coef.flat(), fit.coef.flat())).toBeLessThan(TOLERANCE);
      expect(far(found.intercept, fit.intercept)).toBeLessThan(TOLERANCE);

      const head = await createHead('ridge', {
        alphas: fit.alphas!.join(),
        classWeight: fit.classWeight,
      }).fit(matrixRows(X), Array.from(y, String));
      expect(head.state.json.leaveOneOut).toMatchObject({ alpha: fit.alpha });
      expect([...head.state.tensors.get('weights')!.data]).toEqual([...found.weights.data]);
    },
  );
});
