import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead, type HeadName } from '../../../src/classify/heads/index.ts';

/** Made by test/golden/make_exact.py. */
const golden = JSON.parse(readFileSync(new URL('../../golden/exact.json', import.meta.url), 'utf8')) as {
  n: number;
  d: number;
  C: number;
  labels: number[];
  /** Decision values of the 20 rows after the n training rows, at the optimum of each head. */
  heads: Record<'logistic' | 'linear-svm' | 'ridge', number[]>;
  scikitLearn: Record<'lbfgs' | 'newton-cg', number[]>;
};

/** Rows of length 100, as make_exact.py makes them. */
function longRows(first: number, count: number): Matrix {
  const out = matrix(count, golden.d);
  for (let r = 0; r < count; r++) {
    const i = first + r;
    const values = Float64Array.from({ length: golden.d }, (_, j) => {
      const mixed =
        ((i * 7919 + j * 104729 + i * j * 31) % 1009) / 1009 + ((i * i * 17 + j * j * 5 + i * j * 7) % 2003) / 2003;
      return Math.max(0, mixed - 0.8 + ((i + j) % 2 === 0 ? 0.15 : 0));
    });
    const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    values.forEach((value, j) => (out.data[r * golden.d + j] = (value / length) * 100));
  }
  return out;
}

const probability = (score: number): number => 1 / (1 + Math.exp(-score));
const apart = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((value, i) => Math.abs(value - a[i]!)));

async function scores(name: HeadName, tol: number): Promise<number[]> {
  const { n, C, labels } = golden;
  const strength = name === 'ridge' ? { alpha: 1 / C } : { C };
  const head = await createHead(name, { ...strength, tol, maxIter: 1000 }).fit(
    matrixRows(longRows(0, n)),
    labels.map(String),
  );
  expect(head.converged).toBe(true);
  return [...(await head.logits!(longRows(n, 20))).data];
}

describe('with wide rows of length 100 and C = 10,000', () => {
  it.each(['linear-svm', 'ridge'] as const)('%s has the decision values of the true optimum', async (name) => {
    expect(apart(await scores(name, 1e-12), golden.heads[name])).toBeLessThan(1e-4);
  });

  it('linear-svm counts as converged at a loose tolerance only where it is near the optimum', async () => {
    const values = await scores('linear-svm', 1e-4);
    expect(apart(values, golden.heads['linear-svm'])).toBeLessThan(0.02);
  });

  it('linear-svm that has not come near says how far off it may be, however small its gradient', async () => {
    const head = await createHead('linear-svm', { C: golden.C, tol: 0.5, maxIter: 12 }).fit(
      matrixRows(longRows(0, golden.n)),
      golden.labels.map(String),
    );
    expect(head.converged).toBe(false);
    expect(head.notes[0]).toMatch(/small enough, but the objective may be \d.* % above its least/);
  });

  it('logistic has the probabilities of the true optimum, where the default solver of scikit-learn has not', async () => {
    const truth = golden.heads.logistic.map(probability);
    expect(apart((await scores('logistic', 1e-12)).map(probability), truth)).toBeLessThan(1e-4);
    // Both at their tightest tolerance.
    expect(apart(golden.scikitLearn['newton-cg'].map(probability), truth)).toBeLessThan(1e-9);
    expect(apart(golden.scikitLearn.lbfgs.map(probability), truth)).toBeGreaterThan(1e-3);
  });

  it('a loose tolerance would be seen', async () => {
    const truth = golden.heads.logistic.map(probability);
    expect(apart((await scores('logistic', 1e-4)).map(probability), truth)).toBeGreaterThan(1e-4);
  });
});
