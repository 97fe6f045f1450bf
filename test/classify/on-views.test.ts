import { describe, expect, it } from 'vitest';
import { createHead } from '../../src/classify/heads/index.ts';
import { fitOnViews } from '../../src/classify/on-views.ts';
import { matrix, selectRows, stacked, type Matrix } from '../../src/core/matrix.ts';
import { matrixRows } from '../../src/core/rows.ts';
import { blockRows } from '../support/rows.ts';
import { blobs, expectCode } from './heads/head-contract.ts';

/** Another view of the rows: each moved a little, always in the same way. */
function moved(X: Matrix, by: number): Matrix {
  return matrix(
    X.rows,
    X.cols,
    Float32Array.from(X.data, (value, at) => value + by * Math.sin(at)),
  );
}

describe('heads on several views of the same images', () => {
  const { X, y } = blobs(['a', 'b', 'c'], 8, 6);
  const views = [moved(X, 0.3), moved(X, -0.2)].map(matrixRows);
  const same = [matrixRows(X), matrixRows(X)];

  it.each(['logistic', 'knn', 'centroid'] as const)('%s trains on every view as on so many rows', async (name) => {
    const all = [X, ...views.map(({ matrix: view }) => view!)];
    const rows = matrixRows(stacked(all));
    const expected = await createHead(name).fit(
      rows,
      all.flatMap(() => y),
    );
    const head = await fitOnViews(createHead(name), matrixRows(X), views, y);
    expect(head.state).toEqual(expected.state);
    expect(head.state).not.toEqual((await createHead(name).fit(matrixRows(X), y)).state);
  });

  it('without views is the head on the images', async () => {
    const head = await fitOnViews(createHead('softmax'), matrixRows(X), [], y);
    expect(head.state).toEqual((await createHead('softmax').fit(matrixRows(X), y)).state);
  });

  it.each(['softmax', 'mlp'] as const)('%s meets each image once an epoch, in a view drawn anew', async (name) => {
    const options = { maxEpochs: 12, validationFraction: 0, nIterNoChange: 12 };
    const head = await fitOnViews(createHead(name, options), matrixRows(X), views, y);
    expect(head.state).toEqual((await fitOnViews(createHead(name, options), matrixRows(X), views, y)).state);
    const without = await createHead(name, options).fit(matrixRows(X), y);
    expect(head.state).not.toEqual(without.state);
    // As many steps as without views: one row an image and epoch, not three.
    expect(head.iterations).toBe(without.iterations);
    // Views that are the images themselves change nothing but which of the equal views is drawn: the order of the
    // rows differs.
    const P = await (
      await fitOnViews(createHead(name, { ...options, batchSize: X.rows }), matrixRows(X), same, y)
    ).predictProba(X);
    const Q = await (await createHead(name, { ...options, batchSize: X.rows }).fit(matrixRows(X), y)).predictProba(X);
    P.data.forEach((p, at) => expect(p).toBeCloseTo(Q.data[at]!, 4));
  });

  it('a view that no epoch draws would not be met: over many epochs all are', async () => {
    // The class shows in the views alone: without drawing them the head could not tell the images apart.
    const blank = matrix(X.rows, X.cols);
    const head = await fitOnViews(createHead('softmax', { learningRate: 0.05 }), matrixRows(blank), same, y);
    const P = await head.predictProba(X);
    const right = y.filter((label, i) => {
      const row = P.data.subarray(i * 3, i * 3 + 3);
      return head.classes[row.indexOf(Math.max(...row))] === label;
    });
    expect(right.length / y.length).toBeGreaterThan(0.95);
  });

  it.each(['softmax', 'logistic', 'knn'] as const)(
    '%s learns the same from views that are read in blocks',
    async (name) => {
      // Of one block: then a head that learns by epochs meets the rows in the same order too.
      const [rows, ...others] = [X, ...views.map(({ matrix: view }) => view!)].map((view) => blockRows(view, X.rows));
      const options = name === 'knn' ? {} : { tol: 1e-8 };
      const inMemory = await fitOnViews(createHead(name, options), matrixRows(X), views, y);
      const inBlocks = await fitOnViews(createHead(name, options), rows!, others, y);
      const [P, Q] = [await inMemory.predictProba(X), await inBlocks.predictProba(X)];
      P.data.forEach((p, at) => expect(Math.abs(p - Q.data[at]!)).toBeLessThan(2e-6));
    },
  );

  it.each(['softmax', 'logistic'] as const)('%s refuses a view of another shape, or with NaN', async (name) => {
    const fewer = selectRows(X, [0, 1, 2]);
    await expectCode(
      fitOnViews(createHead(name), matrixRows(X), [matrixRows(fewer)], y),
      'FIT_INVALID',
      /View 1 has 3 x /,
    );
    const broken = moved(X, 0.1);
    broken.data[7] = NaN;
    await expectCode(fitOnViews(createHead(name), matrixRows(X), [matrixRows(broken)], y), 'FIT_INVALID', /finite/);
  });
});
