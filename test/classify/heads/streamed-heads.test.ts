import { describe, expect, it } from 'vitest';
import { selectRows } from '../../../src/core/matrix.ts';
import { createHead, HEAD_NAMES, loadHead } from '../../../src/classify/heads/index.ts';
import { topClass } from '../../../src/classify/evaluate/metrics.ts';
import { rejection } from '../../support/errors.ts';
import { sourceOf } from '../../support/row-source.ts';
import { blobs, SHAPES, throughFile } from './head-contract.ts';

/** Options that keep the fits short. */
const OPTIONS: Readonly<Record<string, Record<string, unknown>>> = {
  softmax: { maxEpochs: 60, learningRate: 0.02, batchSize: 5 },
  mlp: { maxEpochs: 60, learningRate: 0.02, batchSize: 5, validationFraction: 0 },
  knn: { nNeighbors: 3 },
};
const STREAMED = HEAD_NAMES.filter((name) => createHead(name).fitStream !== undefined);

it('every head is fitted on streams but those whose packages want all rows at once', () => {
  expect(HEAD_NAMES.filter((name) => !STREAMED.includes(name))).toEqual(['knn-hnsw', 'ml-logistic']);
});

/** What head-contract.ts asks of a fit in memory, of a fit on a stream. */
describe.each(STREAMED)('the head %s on a stream', (name) => {
  const fit = ({ X, y }: ReturnType<typeof blobs>, size = 7) =>
    createHead(name, OPTIONS[name]).fitStream!(sourceOf(X, size), y);

  it.each(SHAPES)('learns %s', async (_, names, each, cols) => {
    const data = blobs(names, each, cols);
    const head = await fit(data);
    const P = await head.predictProba(data.X);
    expect(Array.from(topClass(P), (c) => head.classes[c])).toEqual(data.y);
    expect(head).toMatchObject({ name, classes: [...names].sort(), features: cols });
    expect(head.params).toEqual(createHead(name, OPTIONS[name]).params);
  });

  it('rejects what it rejects in memory', async () => {
    const { X, y } = blobs(['a', 'b'], 6, 5);
    await rejection(fit({ X, y: y.slice(1) }), 'FIT_INVALID');
    await rejection(fit({ X, y: y.map(() => 'a') }), 'FIT_INVALID');
    for (const value of [NaN, Infinity]) {
      const broken = { ...X, data: X.data.slice() };
      broken.data[43] = value;
      await rejection(fit({ X: broken, y }), 'FIT_INVALID');
    }
  });

  it('stands constant columns, rows of zeros, duplicated rows and a small class', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 6);
    for (let i = 0; i < X.rows; i++) X.data.set([0, 7], i * 6);
    X.data.fill(0, 6, 12);
    X.data.copyWithin(24, 12, 18);
    const kept = y.flatMap((label, i) => (label === 'a' || i < 10 ? [i] : []));
    const data = { X: selectRows(X, kept), y: kept.map((i) => y[i]!) };
    const P = await (await fit(data)).predictProba(data.X);
    for (let i = 0; i < P.rows; i++) expect(P.data[2 * i]! + P.data[2 * i + 1]!).toBeCloseTo(1, 5);
  });

  it('gives the same bytes for the same seed, and comes back from its state with the same answers', async () => {
    const data = blobs(['a', 'b', 'c'], 8, 30);
    const [one, two] = [await fit(data), await fit(data)];
    expect(two.state).toEqual(one.state);
    const loaded = await loadHead(name, throughFile(one.state), sourceOf(data.X, 10));
    expect(await loaded.predictProba(data.X)).toEqual(await one.predictProba(data.X));
    expect(loaded.state).toEqual(one.state);
  });

  it('ends when it is told to', async () => {
    if (name === 'knn') return; // It has nothing to fit.
    const { X, y } = blobs(['a', 'b'], 6, 5);
    const signal = AbortSignal.abort();
    await rejection(createHead(name, OPTIONS[name]).fitStream!(sourceOf(X, 4), y, { signal }), 'INTERRUPTED');
  });
});

describe('the centroid head on a stream', () => {
  it.each(['cosine', 'euclidean'] as const)(
    'answers as in memory by %s, however the rows are cut',
    async (metric) => {
      const { X, y } = blobs(['ant', 'bee', 'cat'], 17, 12);
      X.data.fill(0, 24, 36);
      const head = createHead('centroid', { metric });
      const whole = await (await head.fit(X, y)).predictProba(X);
      for (const size of [1, 7, 51]) {
        const P = await (await head.fitStream!(sourceOf(X, size), y)).predictProba(X);
        // Sums in float64 in another order, rounded to float32.
        whole.data.forEach((p, at) => expect(Math.abs(p - P.data[at]!)).toBeLessThan(1e-6));
      }
    },
  );
});
