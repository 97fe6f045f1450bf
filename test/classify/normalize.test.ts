import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matrix, row } from '../../src/core/matrix.ts';
import { PermafrostError } from '../../src/core/errors.ts';
import {
  applyNormalizer,
  fitNormalizer,
  loadNormalizer,
  NORMALIZATIONS,
  normalizerState,
} from '../../src/classify/normalize.ts';
import { formulaFeatures } from './heads/formula-data.ts';
import { throughFile } from './heads/head-contract.ts';

describe('normalisation', () => {
  it("standard: is scikit-learn's StandardScaler, a constant column scaled by 1", () => {
    // X = data(12, 4, 3)[0]; X[:, 2] = np.float32(0.1); s = StandardScaler().fit(X); s.mean_, s.scale_,
    // s.transform(X[:2])
    const X = formulaFeatures(12, 4, 3);
    for (let i = 0; i < 12; i++) X.data[i * 4 + 2] = 0.1;
    const normalizer = fitNormalizer('standard', X);
    if (normalizer.kind !== 'standard') throw new Error('not standard');
    const mean = [0.5993392790357271, 0.6464981821676096, 0.10000000149011612, 0.5741493254899979];
    const scale = [0.25550674869313655, 0.2776654459818828, 1, 0.33213587381604104];
    mean.forEach((value, j) => expect(normalizer.mean[j]).toBeCloseTo(value, 7));
    scale.forEach((value, j) => expect(normalizer.scale[j]).toBeCloseTo(value, 7));
    const expected = [
      -1.1715513137944722, 0.5342694811119547, 0, 0.3323634165514016, 0.9746334805079945, 0.09881098683683333,
      0, -0.7499189345458173,
    ];
    const Z = applyNormalizer(normalizer, X);
    expected.forEach((value, at) => expect(Z.data[at]).toBeCloseTo(value, 6));
    expect(Z.data[2]).toBe(0);
  });

  it('standard: sums in float64, so that a large mean does no harm', () => {
    const X = matrix(
      4000,
      1,
      Float32Array.from({ length: 4000 }, (_, i) => 65536 + (i % 2)),
    );
    const Z = applyNormalizer(fitNormalizer('standard', X), X);
    expect([...Z.data.slice(0, 2)]).toEqual([-1, 1]);
  });

  it('l2: gives every row length 1, a row of zeros stays', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: -1e18, max: 1e18 }).map(Math.fround), {
          minLength: 3,
          maxLength: 3,
        }),
        (values) => {
          const X = matrix(2, 3, Float32Array.of(...values, 0, 0, 0));
          const Z = applyNormalizer(fitNormalizer('l2', X), X);
          const length = Math.sqrt(row(Z, 0).reduce((sum, value) => sum + value ** 2, 0));
          expect(length).toBeCloseTo(values.every((value) => value === 0) ? 0 : 1, 6);
          expect([...row(Z, 1)]).toEqual([0, 0, 0]);
        },
      ),
    );
  });

  describe.each(NORMALIZATIONS)('%s', (kind) => {
    const X = formulaFeatures(9, 5, 3);

    it('comes back from its state, and leaves its input alone', () => {
      const before = X.data.slice();
      const normalizer = fitNormalizer(kind, X);
      const Z = applyNormalizer(normalizer, X);
      expect(applyNormalizer(loadNormalizer(throughFile(normalizerState(normalizer))), X)).toEqual(Z);
      expect(X.data).toEqual(before);
    });

    it('rejects another width and values that are not finite', () => {
      const normalizer = fitNormalizer(kind, X);
      expect(() => applyNormalizer(normalizer, matrix(1, 4))).toThrow(/5 features .* have 4/);
      expect(() => applyNormalizer(normalizer, matrix(1, 5, new Float32Array(5).fill(NaN)))).toThrow(/NaN/);
    });
  });

  it('refuses a damaged state', () => {
    const state = normalizerState(fitNormalizer('standard', formulaFeatures(9, 5, 3)));
    const load =
      (json: object, tensors = state.tensors) =>
      () =>
        loadNormalizer({ json: { ...state.json, ...json }, tensors });
    expect(load({ kind: 'max' })).toThrow(/"max".*l2, standard, none/);
    expect(load({ features: 6 })).toThrow(/"mean" of 6/);
    expect(load({}, new Map([...state.tensors].slice(0, 1)))).toThrow(/"scale"/);
    expect(load({ features: null })).toThrow(PermafrostError);
  });
});
