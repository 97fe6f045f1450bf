import { describe, expect, it } from 'vitest';
import { createHead } from '../../../src/classify/heads/index.ts';
import { accuracy, topClass } from '../../../src/classify/metrics.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { sourceOf } from '../../support/row-source.ts';
import { blobs } from '../head-contract.ts';

const data = blobs(['ant', 'bee', 'cat'], 40, 20);
const truth = Int32Array.from(data.y, (label) => ['ant', 'bee', 'cat'].indexOf(label));

describe('the softmax head on a stream', () => {
  it('with a single block is the fit in memory to the byte', async () => {
    const head = createHead('softmax', { maxEpochs: 12, classWeight: 'balanced' });
    const { state } = await head.fitStream!(sourceOf(data.X, 120), data.y);
    expect(state).toEqual((await head.fit(data.X, data.y)).state);
  });

  it('with several blocks meets the rows in another order and comes to the same end', async () => {
    const head = createHead('softmax', { learningRate: 0.01, maxEpochs: 400, nIterNoChange: 400 });
    const [whole, streamed] = [
      await head.fit(data.X, data.y),
      await head.fitStream!(sourceOf(data.X, 32), data.y),
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
      (await createHead('softmax', { maxEpochs: 5, seed }).fitStream!(sourceOf(data.X, 32), data.y)).state;
    expect(await fit(1)).toEqual(await fit(1));
    expect((await fit(2)).tensors).not.toEqual((await fit(1)).tensors);
  });

  it('holds nothing out, and says so', async () => {
    const head = createHead('softmax', { validationFraction: 0.1 });
    const error = await rejection(head.fitStream!(sourceOf(data.X, 32), data.y), 'OPTION_INVALID');
    expect(error.message).toEqual(textWith('nothing is held out'));
  });

  it('refuses values that are not finite', async () => {
    const broken = { ...data.X, data: data.X.data.slice() };
    broken.data[500] = Infinity;
    await rejection(createHead('softmax').fitStream!(sourceOf(broken, 32), data.y), 'FIT_INVALID');
  });
});
