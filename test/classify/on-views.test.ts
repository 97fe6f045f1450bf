import { describe, expect, it } from 'vitest';
import { createHead } from '../../src/classify/heads/index.ts';
import { fitOnViews } from '../../src/classify/on-views.ts';
import { matrix, selectRows, type Matrix } from '../../src/core/matrix.ts';
import { blobs, expectCode } from './heads/head-contract.ts';

/** Another look at the rows: each moved a little, always in the same way. */
function moved(X: Matrix, by: number): Matrix {
  return matrix(
    X.rows,
    X.cols,
    Float32Array.from(X.data, (value, at) => value + by * Math.sin(at)),
  );
}

describe('heads on several views of the same images', () => {
  const { X, y } = blobs(['a', 'b', 'c'], 8, 6);
  const views = [moved(X, 0.3), moved(X, -0.2)];

  it.each(['logistic', 'knn', 'centroid'] as const)(
    '%s trains on every view as on so many rows',
    async (name) => {
      const looks = [X, ...views];
      const all = matrix(X.rows * 3, X.cols, Float32Array.from(looks.flatMap(({ data }) => [...data])));
      const expected = await createHead(name).fit(
        all,
        looks.flatMap(() => y),
      );
      const head = await fitOnViews(createHead(name), X, views, y);
      expect(head.state).toEqual(expected.state);
      expect(head.state).not.toEqual((await createHead(name).fit(X, y)).state);
    },
  );

  it('without views is the head on the images', async () => {
    const head = await fitOnViews(createHead('softmax'), X, [], y);
    expect(head.state).toEqual((await createHead('softmax').fit(X, y)).state);
  });

  it.each(['softmax', 'mlp'] as const)(
    '%s meets each image once an epoch, in a view drawn anew',
    async (name) => {
      const options = { maxEpochs: 12, validationFraction: 0, nIterNoChange: 12 };
      const head = await fitOnViews(createHead(name, options), X, views, y);
      expect(head.state).toEqual((await fitOnViews(createHead(name, options), X, views, y)).state);
      const without = await createHead(name, options).fit(X, y);
      expect(head.state).not.toEqual(without.state);
      // As many steps as without views: one row an image and epoch, not three.
      expect(head.iterations).toBe(without.iterations);
      // Views that are the images themselves change nothing but which of the equal looks is drawn: the order of the
      // rows differs.
      const P = await (
        await fitOnViews(createHead(name, { ...options, batchSize: X.rows }), X, [X, X], y)
      ).predictProba(X);
      const Q = await (await createHead(name, { ...options, batchSize: X.rows }).fit(X, y)).predictProba(X);
      P.data.forEach((p, at) => expect(p).toBeCloseTo(Q.data[at]!, 4));
    },
  );

  it('a view that no epoch draws would not be met: over many epochs all are', async () => {
    // The class shows in the views alone: without drawing them the head could not tell the images apart.
    const blank = matrix(X.rows, X.cols);
    const head = await fitOnViews(createHead('softmax', { learningRate: 0.05 }), blank, [X, X], y);
    const P = await head.predictProba(X);
    const right = y.filter((label, i) => {
      const row = P.data.subarray(i * 3, i * 3 + 3);
      return head.classes[row.indexOf(Math.max(...row))] === label;
    });
    expect(right.length / y.length).toBeGreaterThan(0.95);
  });

  it.each(['softmax', 'logistic'] as const)(
    '%s refuses a view of another shape, or with NaN',
    async (name) => {
      const fewer = selectRows(X, [0, 1, 2]);
      await expectCode(fitOnViews(createHead(name), X, [fewer], y), 'FIT_INVALID', /View 1 has 3 x /);
      const broken = moved(X, 0.1);
      broken.data[7] = NaN;
      await expectCode(fitOnViews(createHead(name), X, [broken], y), 'FIT_INVALID', /finite/);
    },
  );
});
