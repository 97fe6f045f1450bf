import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HEADS } from '../../../src/classify/heads/index.ts';
import { gridOfAxes, SWEEP_AXES } from '../../../src/workflows/sweep/axes.ts';
import { SWEEP_OPTIONS } from '../../../src/workflows/sweep/options.ts';
import { gridRequest } from '../../../src/workflows/sweep/grid-file.ts';
import { configurationsOf, type SweepGrid } from '../../../src/workflows/sweep/grid.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const brief = (grid: SweepGrid): string[] =>
  configurationsOf(grid, 'The grid').map(
    ({ head, params, pooling, normalize, pca }) =>
      `${head} ${String(params.C ?? params.alpha ?? params.nNeighbors ?? '')} ${pooling} ${normalize} ${pca}`,
  );

describe('a grid', () => {
  it('is every combination of its values, each head on every kind of features, no configuration twice', () => {
    const heads = [
      { head: 'logistic', C: [1, 10, 1] },
      { head: 'knn', nNeighbors: 3 },
    ];
    expect(brief({ pooling: 'avg', normalize: ['l2', 'none'], pca: 0, heads })).toEqual([
      'logistic 1 avg l2 0',
      'logistic 10 avg l2 0',
      'logistic 1 avg none 0',
      'logistic 10 avg none 0',
      'knn 3 avg l2 0',
      'knn 3 avg none 0',
    ]);
  });

  it('of more combinations than are swept is refused before they are made', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1);
    const heads = [
      { head: 'knn-hnsw', nNeighbors: values, M: values.map((m) => m + 1), efSearch: values, seed: values },
    ];
    const before = performance.now();
    expect(() => configurationsOf({ pooling: 'avg', normalize: 'l2', pca: 0, heads }, 'The grid')).toThrow(
      /The grid asks for 100000000 configurations or more, and 20000 are the most/,
    );
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it("takes a head's own features before those of all, and its options resolved with the defaults", () => {
    const heads = [{ head: 'ridge', alpha: 2, pooling: 'max' as const, pca: [0, 8] }];
    expect(brief({ normalize: 'l2', heads })).toEqual(['ridge 2 max l2 0', 'ridge 2 max l2 8']);
    const [one] = configurationsOf({ heads }, 'The grid');
    expect(Object.keys(one!.params)).toEqual(Object.keys(HEADS.ridge.options));
  });

  it('is by default 34 configurations of heads that earned their place', () => {
    const found = configurationsOf({}, 'The grid');
    expect(found).toHaveLength(34);
    expect(new Set(found.map(({ head }) => head))).toEqual(
      new Set(['lda', 'logistic', 'linear-svm', 'knn', 'kernel-ridge', 'kernel-logistic', 'ensemble']),
    );
  });

  it.each([
    [{ poolings: ['avg'] }, /^The grid: there is no key "poolings" \(did you mean "pooling"\?\)/],
    [{ pooling: ['average'] }, /pooling holds no value that it takes: one or a list of flatten, avg, max/],
    [{ cut: 'block5_pool:mean' }, /cut: .*no pooling "mean"/],
    [{ views: [1.5] }, /views holds no value that it takes: one or a list of integers >= 0/],
    [{ pca: [1.5] }, /pca holds no value that it takes: one or a list of integers >= 0/],
    [{ heads: [] }, /heads/],
    [{ heads: [{ head: 'logistik' }] }, /heads\[0\]: There is no head "logistik" \(did you mean "logistic"\?\)/],
    [
      { heads: [{ head: 'knn' }, { head: 'knn', nNeighbours: [3] }] },
      /heads\[1\]: .*no option "nNeighbours" \(did you mean "nNeighbors"\?\)/,
    ],
    [{ heads: [{ head: 'logistic', C: [1, -1] }] }, /C must be a number > 0, got -1/],
    [{ heads: [{ head: 'logistic', C: {} }] }, /heads\[0\]\.C holds no value that it takes/],
    [{ heads: [{ C: 1 }] }, /heads\[0\]\.head/],
    [['logistic'], /the grid: /],
  ])('is refused with the place and the nearest name: %j', (grid, words) => {
    expect(() => configurationsOf(grid, 'The grid')).toThrow(words);
  });
});

describe('a grid from flags', () => {
  it('gives values to every listed head that has the option, and keeps the default values of the rest', () => {
    const grid = gridOfAxes({ head: 'logistic, linear-svm,mlp', C: '0.5,5', pca: '0,16', pooling: 'avg' })!;
    expect(grid).toEqual({
      pooling: ['avg'],
      pca: [0, 16],
      heads: [{ head: 'logistic', C: [0.5, 5] }, { head: 'linear-svm', C: [0.5, 5] }, { head: 'mlp' }],
    });
    const own = gridOfAxes({ head: 'knn', metric: 'cosine,euclidean' })!;
    expect(own.heads).toEqual([
      { head: 'knn', nNeighbors: [1, 5, 15], weights: ['distance'], metric: ['cosine', 'euclidean'] },
    ]);
  });

  it('is none where nothing is given, and the default heads where only values are', () => {
    expect(gridOfAxes({ head: '', C: undefined })).toBeUndefined();
    expect(configurationsOf(gridOfAxes({ C: '1' }), 'The grid').length).toBeLessThan(34);
  });

  it('offers every option of every head but the lists alphas and gammas, and none in place of an option of sweep', () => {
    const options = Object.values(HEADS).flatMap(({ options }) => Object.keys(options));
    expect(Object.keys(SWEEP_AXES).sort()).toEqual(
      [...new Set([...options, 'head', 'cut', 'pooling', 'normalize', 'views', 'pca'])]
        .filter((key) => !['alphas', 'gammas', 'seed'].includes(key))
        .sort(),
    );
    expect(Object.keys(SWEEP_AXES).filter((key) => Object.hasOwn(SWEEP_OPTIONS, key))).toEqual([]);
  });

  it.each([
    [{ head: 'logistic', nNeighbors: '3' }, /None of the heads logistic has the option "nNeighbors"/],
    [{ head: 'logistik' }, /did you mean "logistic"/],
    [{ C: '1,two' }, /C takes numbers with commas between them, got "two"/],
    [{ pca: '', C: '1,' }, /got ""/],
  ])('is refused: %j', (axes, words) => {
    expect(() => configurationsOf(gridOfAxes(axes), 'The grid')).toThrow(words);
  });
});

describe('a grid in a file', () => {
  it('is read as JSON, and named in what is wrong with it', async () => {
    const file = join(folder(), 'grid.json');
    writeFileSync(file, '{"pca": 3}');
    expect(await gridRequest(file, undefined)).toEqual({ grid: { pca: 3 }, gridSource: `The grid ${file}` });
    writeFileSync(file, '{"pca": 3');
    expect((await rejection(gridRequest(file, undefined), 'OPTION_INVALID')).message).toMatch(/grid\.json is no JSON/);
    await rejection(gridRequest(`${file}.gone`, undefined), 'OPTION_INVALID');
    expect((await rejection(gridRequest(file, { pca: 3 }), 'OPTION_INVALID')).message).toMatch(/not in both/);
  });
});
