import { describe, expect, it } from 'vitest';
import { matrix, selectRows, stacked } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import type { FittedHead } from '../../../src/classify/head.ts';
import { pcaHead } from '../../../src/classify/heads/pca-head.ts';
import { fitOnViews } from '../../../src/classify/on-views.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { accuracy, topClass } from '../../../src/classify/evaluate/metrics.ts';
import { rejection } from '../../support/errors.ts';
import { blockRows } from '../../support/rows.ts';
import { blobs } from './head-contract.ts';

const data = blobs(['ant', 'bee', 'cat'], 40, 20);
const truth = Int32Array.from(data.y, (label) => ['ant', 'bee', 'cat'].indexOf(label));

const HEADS = [
  ['softmax', { maxEpochs: 12, classWeight: 'balanced' }],
  ['softmax', { maxEpochs: 12, validationFraction: 0.2 }],
  ['mlp', { maxEpochs: 12, hiddenUnits: 8 }],
  ['mlp', { maxEpochs: 12, hiddenUnits: 8, validationFraction: 0, classWeight: 'balanced' }],
] as const;

describe('a head trained by epochs on rows in blocks', () => {
  it.each(HEADS)('with a single block is the fit in memory to the byte: %s %j', async (name, options) => {
    const head = createHead(name, options);
    const { state } = await head.fit(blockRows(data.X, 120), data.y);
    expect(state).toEqual((await head.fit(matrixRows(data.X), data.y)).state);
  });

  it.each(HEADS)('draws a view a row and epoch as in memory: %s %j', async (name, options) => {
    const views = [2, 3].map((seed) => blobs(['ant', 'bee', 'cat'], 40, 20, seed).X);
    const head = createHead(name, options);
    const inBlocks = views.map((view) => blockRows(view, 120));
    const { state } = await head.fit(blockRows(data.X, 120), data.y, { views: inBlocks });
    expect(state).toEqual((await head.fit(matrixRows(data.X), data.y, { views: views.map(matrixRows) })).state);
    expect(state.tensors).not.toEqual((await head.fit(matrixRows(data.X), data.y)).state.tensors);
    const cut = views.map((view) => blockRows(view, 50));
    await rejection(head.fit(blockRows(data.X, 120), data.y, { views: cut }), 'FIT_INVALID');
  });

  it.each(['softmax', 'mlp'] as const)(
    'watches the loss of the same rows held out, however they are cut: %s',
    async (name) => {
      const head = createHead(name, { maxEpochs: 1, learningRate: 1e-12, validationFraction: 0.25 });
      const [whole, streamed] = [
        await head.fit(matrixRows(data.X), data.y),
        await head.fit(blockRows(data.X, 7), data.y),
      ];
      // With steps of nothing all that is left is the loss of the first weights.
      const [a, b] = [whole.learningCurve!, streamed.learningCurve!];
      expect(b.valLoss![0]).toBeCloseTo(a.valLoss![0]!, 6);
      expect(b.valAccuracy).toEqual(a.valAccuracy);
      expect(b.loss[0]).toBeCloseTo(a.loss[0]!, 6);
    },
  );

  it('with several blocks meets the rows in another order and comes to the same end', async () => {
    const head = createHead('softmax', { learningRate: 0.01, maxEpochs: 400, nIterNoChange: 400 });
    const [whole, streamed] = [
      await head.fit(matrixRows(data.X), data.y),
      await head.fit(blockRows(data.X, 32), data.y),
    ];
    expect(streamed.state).not.toEqual(whole.state);
    expect(streamed.iterations).toBe(400);
    const [a, b] = [await whole.predictProba(data.X), await streamed.predictProba(data.X)];
    expect(accuracy(truth, topClass(b))).toBe(1);
    // Four hundred epochs from the same start: what the order of the rows leaves.
    a.data.forEach((p, at) => expect(Math.abs(p - b.data[at]!)).toBeLessThan(0.01));
  });

  it('gives the same bytes for the same seed, others for another', async () => {
    const fit = async (seed: number) =>
      (await createHead('softmax', { maxEpochs: 5, seed }).fit(blockRows(data.X, 32), data.y)).state;
    expect(await fit(1)).toEqual(await fit(1));
    expect((await fit(2)).tensors).not.toEqual((await fit(1)).tensors);
  });

  it('refuses values that are not finite', async () => {
    const broken = { ...data.X, data: data.X.data.slice() };
    broken.data[500] = Infinity;
    await rejection(createHead('softmax').fit(blockRows(broken, 32), data.y), 'FIT_INVALID');
  });
});

describe('what a head trained by epochs holds out', () => {
  // Noise: what the head knows of a held-out image it knows from another row of it.
  const COLS = 300;
  const source = random(3);
  const X = matrix(
    120,
    COLS,
    Float32Array.from({ length: 120 * COLS }, () => source.normal()),
  );
  const y = Array.from({ length: 120 }, (_, i) => ['ant', 'bee'][i % 2]!);
  const options = { maxEpochs: 60, nIterNoChange: 60, learningRate: 0.01, validationFraction: 0.2 };
  const best = (head: FittedHead): number => Math.max(...head.learningCurve!.valAccuracy!);

  it.each(['softmax', 'mlp'] as const)('is images, not rows: %s on equal files', async (name) => {
    const twice = matrixRows(stacked([X, X]));
    const head = await createHead(name, options).fit(twice, [...y, ...y]);
    expect(best(head)).toBeLessThan(0.8);
    // Of the same images as without the copies.
    const [once, copied] = [await createHead(name, { ...options, maxEpochs: 1 }).fit(matrixRows(X), y), head];
    expect(copied.learningCurve!.valLoss![0]).toBeCloseTo(once.learningCurve!.valLoss![0]!, 0);
  });

  it.each(['softmax', 'mlp'] as const)('is images, not views: %s on principal components', async (name) => {
    const near = (seed: number) => {
      const noise = random(seed);
      return matrix(
        120,
        COLS,
        X.data.map((value) => value + 0.05 * noise.normal()),
      );
    };
    const views = [near(5), near(6), near(7)].map(matrixRows);
    for (const pca of [0, 20]) {
      const plain = createHead(name, options);
      const head = await fitOnViews(pca > 0 ? pcaHead(pca, plain) : plain, matrixRows(X), views, y);
      expect(best(head)).toBeLessThan(0.8);
    }
    // As rows of other images they would be known by heart.
    const all = stacked([X, ...views.map(({ matrix: view }) => view!)]);
    const images = Int32Array.from({ length: all.rows }, (_, i) => i);
    const leaking = await createHead(name, options).fit(matrixRows(all), [...y, ...y, ...y, ...y], { images });
    expect(best(leaking)).toBeGreaterThan(0.9);
  });

  it('may be a copy under another label only if its own label says so', async () => {
    // Row 1 is row 0 under another label, and the only one of its class.
    const rows = selectRows(X, [0, 0, 2, 4, 6, 8]);
    const head = await createHead('softmax', { maxEpochs: 2, validationFraction: 0.3, classWeight: 'balanced' }).fit(
      matrixRows(rows),
      ['ant', 'bee', 'ant', 'ant', 'ant', 'ant'],
    );
    expect(head.learningCurve!.loss.every(Number.isFinite)).toBe(true);
  });
});
