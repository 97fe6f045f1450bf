import { describe, expect, it } from 'vitest';
import { matrix, selectRows, type Matrix } from '../../src/core/matrix.ts';
import { matrixRows } from '../../src/core/rows.ts';
import { random } from '../../src/core/random.ts';
import { createHead, loadHead } from '../../src/classify/heads/index.ts';
import { pcaHead } from '../../src/classify/heads/pca-head.ts';
import { applyPca, fitPca } from '../../src/classify/pca.ts';
import { symmetricEigen } from '../../src/classify/linalg/symmetric-eigen.ts';
import { topEigenpairs } from '../../src/classify/linalg/top-eigenpairs.ts';
import { rejection } from '../support/errors.ts';
import { blockRows } from '../support/rows.ts';
import { blobs, throughFile } from './heads/head-contract.ts';

/** Rows with a few strong common factors and noise, shifted away from zero. */
function factors(rows: number, cols: number, seed = 1): Matrix {
  const source = random(seed);
  const loadings = Float64Array.from({ length: 5 * cols }, () => source.normal());
  const out = matrix(rows, cols);
  for (let i = 0; i < rows; i++) {
    const z = [5, 4, 3, 2, 1].map((size) => size * source.normal());
    for (let j = 0; j < cols; j++) {
      const common = z.reduce((sum, value, f) => sum + value * loadings[f * cols + j]!, 0);
      out.data[i * cols + j] = 20 + common + 0.1 * source.normal();
    }
  }
  return out;
}

const columnOf = ({ data, cols }: Matrix, c: number): number[] => [...data].filter((_, at) => at % cols === c);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

describe('principal components', () => {
  it.each([
    ['more rows than columns', 200, 30],
    ['fewer rows than columns', 40, 300],
  ])('are orthonormal, uncorrelated and keep what they say: %s', async (_, rows, cols) => {
    const X = factors(rows, cols);
    const pca = await fitPca(matrixRows(X), 4);
    const Z = await applyPca(pca, X);
    const columns = [0, 1, 2, 3].map((c) => columnOf(pca.components, c));
    for (const [a, one] of columns.entries())
      for (const [b, other] of columns.entries()) expect(dot(one, other)).toBeCloseTo(Number(a === b), 4);
    const variances = [0, 1, 2, 3].map((c) => {
      const scores = columnOf(Z, c);
      expect(
        Math.abs(
          dot(
            scores,
            scores.map(() => 1),
          ) / rows,
        ),
      ).toBeLessThan(1e-3);
      return dot(scores, scores);
    });
    expect([...variances].sort((a, b) => b - a)).toEqual(variances);
    const means = Array.from({ length: cols }, (__, j) => columnOf(X, j).reduce((sum, v) => sum + v, 0) / rows);
    const total = X.data.reduce((sum, value, at) => sum + (value - means[at % cols]!) ** 2, 0);
    expect(pca.kept).toBeCloseTo(variances.reduce((sum, v) => sum + v, 0) / total, 4);
    expect(dot(columnOf(Z, 0), columnOf(Z, 1)) / variances[0]!).toBeCloseTo(0, 3);
  });

  it('are the same of a matrix with as many rows as columns, whichever side is solved', async () => {
    const X = factors(60, 61);
    const wide = await fitPca(matrixRows(X), 5);
    // Blocks are never solved by their Gram matrix.
    const blocks = await fitPca(blockRows(X, 7), 5);
    wide.components.data.forEach((w, at) => expect(Math.abs(w - blocks.components.data[at]!)).toBeLessThan(1e-4));
    expect(blocks.kept).toBeCloseTo(wide.kept, 6);
    const less = await fitPca(matrixRows(matrix(61, 60, X.data.slice())), 5);
    expect(less.components).toMatchObject({ rows: 60, cols: 5 });
  });

  it('of a large matrix are those of the whole decomposition', async () => {
    const size = 300;
    const X = factors(400, size);
    const A = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        let sum = 0;
        for (let r = 0; r < 400; r++) sum += (X.data[r * size + i]! - 20) * (X.data[r * size + j]! - 20);
        A[i * size + j] = sum;
      }
    }
    const [whole, iterated] = [await symmetricEigen(A, size, 5), await topEigenpairs(A, size, 5, random(1))];
    for (let c = 0; c < 5; c++) {
      expect(iterated.values[c]! / whole.values[c]!).toBeCloseTo(1, 6);
      const [a, b] = [whole, iterated].map(({ vectors }) => [...vectors.subarray(c * size, (c + 1) * size)]);
      expect(Math.abs(dot(a!, b!))).toBeCloseTo(1, 5);
    }
  });

  it('give the same bytes for the same rows, and refuse more of them than there are rows or columns', async () => {
    const X = factors(200, 160);
    const [one, other] = [await fitPca(matrixRows(X), 20), await fitPca(matrixRows(X), 20)];
    expect([...one.components.data]).toEqual([...other.components.data]);
    const error = await rejection(fitPca(matrixRows(selectRows(X, [0, 1, 2])), 4), 'FIT_INVALID');
    expect(error.message).toMatch(/4 principal components need as many rows and columns, found 3 x 160/);
  });
});

describe('a head on principal components', () => {
  const { X, y } = blobs(['ant', 'bee', 'cat'], 20, 12);

  it('goes by the name of its inner head, tells its width and gives the same answers when it was loaded', async () => {
    const head = await pcaHead(4, createHead('logistic', { C: 10 })).fit(matrixRows(X), y);
    expect(head).toMatchObject({ name: 'logistic', features: 12, params: { C: 10, pca: 4 } });
    expect(head.notes[0]).toMatch(/^4 principal components keep \d+\.\d % of the variance$/);
    const again = await loadHead('logistic', throughFile(head.state));
    expect(again.params).toEqual(head.params);
    expect([...(await again.predictProba(X)).data]).toEqual([...(await head.predictProba(X)).data]);
  });

  it('answers as the inner head does on the projected rows', async () => {
    const head = await pcaHead(4, createHead('knn', { nNeighbors: 3 })).fit(matrixRows(X), y);
    const pca = await fitPca(matrixRows(X), 4);
    const inner = await createHead('knn', { nNeighbors: 3 }).fit(matrixRows(await applyPca(pca, X)), y);
    expect([...(await head.predictProba(X)).data]).toEqual([
      ...(await inner.predictProba(await applyPca(pca, X))).data,
    ]);
  });

  it('refuses a state without its components, and one of another width', async () => {
    const { state } = await pcaHead(4, createHead('centroid')).fit(matrixRows(X), y);
    const without = new Map([...state.tensors].filter(([name]) => name !== 'pca/components'));
    await rejection(loadHead('centroid', { ...state, tensors: without }), 'HEAD_CORRUPT');
    const json = { ...state.json, pca: { width: 3, kept: 1 } };
    await rejection(loadHead('centroid', { ...state, json }), 'HEAD_CORRUPT');
  });

  it('takes a system of the rows where these are fewer in memory, else one of the columns', () => {
    const head = pcaHead(4, createHead('centroid'));
    const shape = { rows: 100, cols: 2000 };
    expect(head.bytesOf!({ ...shape, inMemory: true })).toBe(3 * 8 * 100 ** 2);
    expect(head.bytesOf!({ ...shape, inMemory: false })).toBeGreaterThanOrEqual(3 * 8 * 2000 ** 2);
  });
});
