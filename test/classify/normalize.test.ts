import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matrix, row } from '../../src/core/matrix.ts';
import { matrixRows } from '../../src/core/rows.ts';
import { PermafrostError } from '../../src/core/errors.ts';
import {
  applyNormalizer,
  balanced,
  balancedRows,
  fitNormalizer,
  NORMALIZATIONS,
  normalizedRows,
} from '../../src/classify/normalize.ts';
import { loadNormalizer, normalizerState } from '../../src/classify/normalizer-state.ts';
import { formulaFeatures } from './heads/formula-data.ts';
import { blockRows } from '../support/rows.ts';
import { blobs, throughFile } from './heads/head-contract.ts';

describe('normalisation', () => {
  it("standard: is scikit-learn's StandardScaler, a constant column scaled by 1", async () => {
    // X = data(12, 4, 3)[0]; X[:, 2] = np.float32(0.1); s = StandardScaler().fit(X); s.mean_, s.scale_,
    // s.transform(X[:2])
    const X = formulaFeatures(12, 4, 3);
    for (let i = 0; i < 12; i++) X.data[i * 4 + 2] = 0.1;
    const normalizer = await fitNormalizer('standard', matrixRows(X));
    if (normalizer.kind !== 'standard') throw new Error('not standard');
    const mean = [0.5993392790357271, 0.6464981821676096, 0.10000000149011612, 0.5741493254899979];
    const scale = [0.25550674869313655, 0.2776654459818828, 1, 0.33213587381604104];
    mean.forEach((value, j) => expect(normalizer.mean[j]).toBeCloseTo(value, 7));
    scale.forEach((value, j) => expect(normalizer.scale[j]).toBeCloseTo(value, 7));
    const expected = [
      -1.1715513137944722, 0.5342694811119547, 0, 0.3323634165514016, 0.9746334805079945, 0.09881098683683333, 0,
      -0.7499189345458173,
    ];
    const Z = applyNormalizer(normalizer, X);
    expected.forEach((value, at) => expect(Z.data[at]).toBeCloseTo(value, 6));
    expect(Z.data[2]).toBe(0);
  });

  it('standard: sums in float64, so that a large mean does no harm', async () => {
    const X = matrix(
      4000,
      1,
      Float32Array.from({ length: 4000 }, (_, i) => 65536 + (i % 2)),
    );
    const Z = applyNormalizer(await fitNormalizer('standard', matrixRows(X)), X);
    expect([...Z.data.slice(0, 2)]).toEqual([-1, 1]);
  });

  it('l2: gives every row length 1, a row of zeros stays', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ noNaN: true, min: -1e18, max: 1e18 }).map(Math.fround), {
          minLength: 3,
          maxLength: 3,
        }),
        async (values) => {
          const X = matrix(2, 3, Float32Array.of(...values, 0, 0, 0));
          const Z = applyNormalizer(await fitNormalizer('l2', matrixRows(X)), X);
          const length = Math.sqrt(row(Z, 0).reduce((sum, value) => sum + value ** 2, 0));
          expect(length).toBeCloseTo(values.every((value) => value === 0) ? 0 : 1, 6);
          expect([...row(Z, 1)]).toEqual([0, 0, 0]);
        },
      ),
    );
  });

  describe.each(NORMALIZATIONS)('%s', (kind) => {
    const X = formulaFeatures(9, 5, 3);

    it('comes back from its state, and leaves its input alone', async () => {
      const before = X.data.slice();
      const normalizer = await fitNormalizer(kind, matrixRows(X));
      const Z = applyNormalizer(normalizer, X);
      expect(applyNormalizer(loadNormalizer(throughFile(normalizerState(normalizer))), X)).toEqual(Z);
      expect(X.data).toEqual(before);
    });

    it('rejects another width and values that are not finite', async () => {
      const normalizer = await fitNormalizer(kind, matrixRows(X));
      expect(() => applyNormalizer(normalizer, matrix(1, 4))).toThrow(/5 features .* have 4/);
      expect(() => applyNormalizer(normalizer, matrix(1, 5, new Float32Array(5).fill(NaN)))).toThrow(/NaN/);
    });
  });

  it('refuses a damaged state', async () => {
    const state = normalizerState(await fitNormalizer('standard', matrixRows(formulaFeatures(9, 5, 3))));
    const load =
      (json: object, tensors = state.tensors) =>
      () =>
        loadNormalizer({ json: { ...state.json, ...json }, tensors });
    expect(load({ kind: 'max' })).toThrow(/"max".*l2, sqrt, standard, power, none/);
    expect(load({ features: 6 })).toThrow(/"mean" of 6/);
    expect(load({}, new Map([...state.tensors].slice(0, 1)))).toThrow(/"scale"/);
    expect(load({ features: null })).toThrow(PermafrostError);
  });
});

describe('rows in blocks', () => {
  it.each(NORMALIZATIONS)('are normalised by %s as in memory, in every pass', async (kind) => {
    const { X } = blobs(['ant', 'bee'], 13, 9);
    X.data.fill(0, 9, 18); // A row of zeros stays zero.
    for (let i = 0; i < X.rows; i++) X.data[i * 9 + 4] = 3; // A constant column.
    const whole = await fitNormalizer(kind, matrixRows(X));
    const normalizer = await fitNormalizer(kind, blockRows(X, 5));
    expect(normalizer).toEqual(whole);
    const wanted = applyNormalizer(whole, X);
    const rows = normalizedRows(normalizer, blockRows(X, 5));
    for (let pass = 0; pass < 2; pass++) {
      for (const b of [0, 3, 1, 2, 4, 5]) {
        const { data } = await rows.read(b);
        // The inverse of a length is rounded to float32, and the product again.
        const near = kind === 'l2' ? 1.2e-7 : 0;
        data.forEach((value, at) => {
          const exact = wanted.data[b * 45 + at]!;
          expect(Math.abs(value - exact)).toBeLessThanOrEqual(near * Math.abs(exact));
        });
      }
    }
  });
});

describe('rows in memory', () => {
  it.each(NORMALIZATIONS)(
    'are normalised by %s at once, and not copied where nothing is done to them',
    async (kind) => {
      const rows = matrixRows(formulaFeatures(9, 5, 3));
      const normalizer = await fitNormalizer(kind, rows);
      const normalized = normalizedRows(normalizer, rows);
      expect(normalized.matrix).toEqual(applyNormalizer(normalizer, rows.matrix!));
      expect(normalized === rows).toBe(kind === 'none');
    },
  );

  it('of one part are balanced as they are, of several at once', () => {
    const rows = matrixRows(formulaFeatures(9, 5, 3));
    expect(balancedRows(rows, [5])).toBe(rows);
    expect(balancedRows(rows, [2, 3]).matrix).toEqual(balanced(rows.matrix!, [2, 3]));
  });
});
