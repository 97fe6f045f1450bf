import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { matrix, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { blockRows } from '../../support/rows.ts';
import { formulaFeatures } from './formula-data.ts';
import { blobs, expectCode } from './head-contract.ts';

interface Fit {
  readonly n: number;
  readonly d: number;
  readonly k: number;
  readonly shrinkage: number | string;
  readonly proba: readonly (readonly number[])[];
}

/** Made by test/golden/make_features.py. */
const { lda } = JSON.parse(readFileSync(new URL('../../golden/features.json', import.meta.url), 'utf8')) as {
  lda: Fit[];
};

/** The formula's rows without two thirds of class 0, as make_features.py takes them. */
function imbalanced({ n, d, k }: Fit): { X: Matrix; y: string[] } {
  const kept = Array.from({ length: n }, (_, i) => i).filter((i) => i % k !== 0 || i % (3 * k) === 0);
  return { X: selectRows(formulaFeatures(n, d, k), kept), y: kept.map((i) => String(i % k)) };
}

/** Weights and probabilities are float32; measured: below 5e-7. */
const TOLERANCE = 2e-6;

function far(P: Matrix, expected: Fit['proba']): number {
  const flat = expected.flat();
  expect(P.data.length).toBe(flat.length);
  return flat.reduce((most, value, at) => Math.max(most, Math.abs(value - P.data[at]!)), 0);
}

describe("lda has the probabilities of scikit-learn's LinearDiscriminantAnalysis", () => {
  it.each(lda)('$n x $d, $k classes, shrinkage $shrinkage', async (fit) => {
    const { X, y } = imbalanced(fit);
    const head = createHead('lda', { shrinkage: fit.shrinkage });
    const inMemory = await (await head.fit(matrixRows(X), y)).predictProba(X);
    expect(far(inMemory, fit.proba)).toBeLessThan(TOLERANCE);
    const streamed = await (await head.fit(blockRows(X, 7), y)).predictProba(X);
    expect(far(streamed, fit.proba)).toBeLessThan(TOLERANCE);
  });
});

describe('the head lda', () => {
  it('takes a share as a number or as the text of one, and no other', () => {
    expect(createHead('lda').params).toEqual({ shrinkage: 'auto' });
    expect(createHead('lda', { shrinkage: '0.25' }).params).toEqual({ shrinkage: 0.25 });
    for (const shrinkage of ['', 'some', '1.5', -0.1, NaN])
      expect(() => createHead('lda', { shrinkage })).toThrow(/shrinkage must be auto \| a number/);
  });

  it('refuses a covariance that is singular, and says what helps', async () => {
    const { X, y } = blobs(['a', 'b'], 10, 40);
    for (const rows of [matrixRows(X), blockRows(X, 7)])
      await expectCode(
        createHead('lda', { shrinkage: 0 }).fit(rows, y),
        'FIT_INVALID',
        /20 rows and 40 columns is singular .* larger shrinkage, such as 0\.1/,
      );
  });

  it('says how far it was shrunk, and where no class varies', async () => {
    const { X, y } = blobs(['a', 'b'], 10, 40);
    const head = await createHead('lda').fit(matrixRows(X), y);
    expect(head.notes[0]).toMatch(/^shrinkage by Ledoit and Wolf: 0\.\d{3}/);
    const single = await createHead('lda').fit(matrixRows(matrix(2, 2, Float32Array.of(1, 0, 0, 1))), ['a', 'b']);
    expect(single.notes[0]).toMatch(/no class varies/);
    const [near, far] = (await single.predictProba(matrix(1, 2, Float32Array.of(0.9, 0.2)))).data;
    expect(near!).toBeGreaterThan(far!);
  });
});
