import { describe, expect, it } from 'vitest';
import { matrixRows } from '../../../src/core/rows.ts';
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
