import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matrix } from '../../src/core/matrix.ts';
import { matrixRows } from '../../src/core/rows.ts';
import { applyNormalizer, fitNormalizer } from '../../src/classify/normalize.ts';
import { yeoJohnson } from '../../src/classify/yeo-johnson.ts';
import { blockRows } from '../support/rows.ts';

/** Made by test/golden/make_features.py. */
const golden = JSON.parse(readFileSync(new URL('../golden/features.json', import.meta.url), 'utf8')) as {
  readonly power: { readonly lambdas: readonly number[]; readonly transformed: readonly (readonly number[])[] };
  readonly sqrt: readonly (readonly number[])[];
};

const COLUMNS = 7;

/** As make_features.py makes them: after a ReLU, of both signs, mostly zeros, constant, far from zero, skewed. */
function columns() {
  const value = (i: number, column: number): number => {
    const u = ((i * 7919) % 1009) / 1009;
    return [Math.max(0, u - 0.4) * 5, u * 4 - 2, i % 10 === 0 ? u : 0, 0.1, 100 + u, u ** 6 * 300, -(u ** 4) * 20][
      column
    ]!;
  };
  return matrix(
    50,
    COLUMNS,
    Float32Array.from({ length: 50 * COLUMNS }, (_, at) => value(Math.floor(at / COLUMNS), at % COLUMNS)),
  );
}

describe("power is scikit-learn's PowerTransformer", () => {
  const flat = golden.power.transformed.flat();

  it.each([
    ['in memory', matrixRows(columns())],
    ['in blocks', blockRows(columns(), 7)],
  ])('%s', async (_, rows) => {
    const normalizer = await fitNormalizer('power', rows);
    if (normalizer.kind !== 'power') throw new Error('not power');
    golden.power.lambdas.forEach((lambda, j) => {
      // Brent's search of scipy ends within the root of float64's rounding, where the likelihood is flat: 1e-5 at 18.
      expect(Math.abs(normalizer.lambdas[j]! - lambda)).toBeLessThan(2e-5 * Math.max(1, Math.abs(lambda)));
    });
    const Z = applyNormalizer(normalizer, columns());
    expect(Z.data.length).toBe(flat.length);
    flat.forEach((value, at) =>
      expect(Math.abs(Z.data[at]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value))),
    );
  });

  it('shows another exponent as another answer', async () => {
    const normalizer = await fitNormalizer('power', matrixRows(columns()));
    if (normalizer.kind !== 'power') throw new Error('not power');
    const other = { ...normalizer, lambdas: normalizer.lambdas.map((lambda) => lambda + 0.01) };
    const Z = applyNormalizer(other, columns());
    expect(flat.some((value, at) => Math.abs(Z.data[at]! - value) > 1e-3)).toBe(true);
  });
});

describe('the transform of Yeo and Johnson', () => {
  it('is the identity for 1, and the logarithm for 0 and 2', () => {
    for (const x of [-3, -0.5, 0, 0.25, 7]) expect(yeoJohnson(x, 1)).toBeCloseTo(x, 12);
    expect(yeoJohnson(5, 0)).toBeCloseTo(Math.log(6), 12);
    expect(yeoJohnson(-5, 2)).toBeCloseTo(-Math.log(6), 12);
  });

  it('finds a maximum of the likelihood: no exponent beside it is likelier', async () => {
    const X = columns();
    const normalizer = await fitNormalizer('power', matrixRows(X));
    if (normalizer.kind !== 'power') throw new Error('not power');
    const likelihood = (j: number, lambda: number): number => {
      const values = Array.from({ length: X.rows }, (_, i) => X.data[i * COLUMNS + j]!);
      const made = values.map((x) => yeoJohnson(x, lambda));
      const mean = made.reduce((sum, y) => sum + y, 0) / X.rows;
      const variance = made.reduce((sum, y) => sum + (y - mean) ** 2, 0) / X.rows;
      const slope = values.reduce((sum, x) => sum + Math.sign(x) * Math.log1p(Math.abs(x)), 0);
      return (-X.rows / 2) * Math.log(variance) + (lambda - 1) * slope;
    };
    for (const j of [0, 1, 2, 4, 5, 6]) {
      const best = likelihood(j, normalizer.lambdas[j]!);
      for (const step of [-0.05, 0.05]) expect(likelihood(j, normalizer.lambdas[j]! + step)).toBeLessThan(best);
    }
  });

  it('keeps finite what is far from normal: two values, and values without bounds', async () => {
    const X = matrix(40, 2);
    for (let i = 0; i < 40; i++) {
      X.data[2 * i] = i === 7 ? 1e-3 : 0;
      X.data[2 * i + 1] = 1e6 + (i % 2);
    }
    const Z = applyNormalizer(await fitNormalizer('power', matrixRows(X)), X);
    expect(Z.data.every(Number.isFinite)).toBe(true);
  });
});

describe('sqrt', () => {
  it("is the signed root with scikit-learn's Normalizer behind it", async () => {
    const Z = applyNormalizer(await fitNormalizer('sqrt', matrixRows(columns())), columns());
    golden.sqrt.flat().forEach((value, at) => expect(Z.data[at]).toBeCloseTo(value, 6));
  });

  it('makes parts equally long, as l2 does', async () => {
    const X = columns();
    const Z = applyNormalizer(await fitNormalizer('sqrt', matrixRows(X), [2, 5]), X);
    for (let i = 0; i < X.rows; i++) {
      const squares = (from: number, to: number): number =>
        Z.data.subarray(i * COLUMNS + from, i * COLUMNS + to).reduce((sum, value) => sum + value ** 2, 0);
      expect(squares(0, 2)).toBeCloseTo(0.5, 6);
      expect(squares(2, 7)).toBeCloseTo(0.5, 6);
    }
  });
});
