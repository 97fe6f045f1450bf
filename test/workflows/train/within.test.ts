import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { extract, predict, train, type HeadResult } from '../../../src/index.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { readHead } from '../../../src/store/read/heads/head-file.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const folder = temporaryFolders();
/** Less than the features of this store would take in memory, more than a shard and a sample of four images. */
const BOUND = '380MB';
let dataset: string;
let store: string;
let picture: string;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 4, 2);
  store = join(folder(), 'store');
  picture = join(dataset, 'Val/down/0.png');
  // An early cut has wide maps: 401,408 numbers an image, one image a shard.
  await extract(dataset, { store, cut: 'block2_pool', engine: 'onnxruntime', shardMegabytes: 1 });
});

async function trained(memory: string, head: string, options: Record<string, unknown> = {}) {
  const notes: string[] = [];
  const out = join(folder(), `${head}.safetensors`);
  const given = { head: head as 'knn', memory, pooling: 'flatten', out } as const;
  const listener = { note: (text: string) => notes.push(text) };
  const result: HeadResult = await train(store, given, options, { listener });
  const { predictions } = await predict(out, [picture], { neighbors: 2 });
  return { result, notes, answer: predictions[0]!, out };
}

/** Probabilities as they were before a temperature scaled them; of votes with half a one for each class. */
function unscaled({ result, answer }: Awaited<ReturnType<typeof trained>>): Record<string, number> {
  const powers = Object.entries(answer.probabilities).map(
    ([label, p]) => [label, p ** (result.temperature ?? 1)] as const,
  );
  const sum = powers.reduce((total, [, power]) => total + power, 0);
  return Object.fromEntries(powers.map(([label, power]) => [label, power / sum]));
}

describe('training within a stated memory', () => {
  it.each([
    ['logistic', { tol: 1e-7 }, 1e-4],
    ['knn', { nNeighbors: 3 }, 0],
    // One image a shard makes batches of one: in memory they must be as small, and then the order alone differs.
    ['softmax', { batchSize: 1, maxEpochs: 40, learningRate: 1e-3 }, 0.05],
  ] as const)('reads %s from the store in streams, says so, and answers as in memory', async (head, options, near) => {
    const [whole, streamed] = [await trained('1GB', head, options), await trained(BOUND, head, options)];
    expect(whole.notes).toEqual([]);
    expect(streamed.notes).toEqual([
      textWith(
        /^The features are read in streams: in memory they would take about 0\.39 GB, above the 0\.38 GB allowed\.$/,
      ),
      textWith(/^Training (logistic|knn|softmax) in streams takes about 0\.3\d GB\.$/),
    ]);
    expect(streamed.result.accuracy).toBe(whole.result.accuracy);
    // A temperature is that of a sample where features are read in streams.
    const { temperature } = streamed.result;
    expect(temperature === undefined).toBe(head === 'logistic');
    if (temperature === undefined)
      expect(Math.abs(streamed.result.logLoss - whole.result.logLoss)).toBeLessThanOrEqual(near);
    const [own, ownStreamed] = [unscaled(whole), unscaled(streamed)];
    expect(streamed.answer.guess).toBe(whole.answer.guess);
    expect(streamed.answer.neighbors).toEqual(whole.answer.neighbors);
    for (const [label, p] of Object.entries(own))
      expect(Math.abs(p - ownStreamed[label]!)).toBeLessThanOrEqual(near + (temperature === undefined ? 0 : 5e-6));
    // Eight images cannot promise 5 %.
    expect(streamed.result.reject).toMatchObject({ rule: null, problem: textWith('too few') });
  });

  it('says so where the memory has no room for a sample to learn a temperature from', async () => {
    const { notes, result } = await trained('360MB', 'knn', { nNeighbors: 3 });
    expect(notes).toContainEqual(
      textWith(/^The probabilities of knn are its own, by no temperature: a sample .*0\.36 GB/),
    );
    expect(result.temperature).toBeUndefined();
  });

  it('reads the rows of a knn once for all validated images, however many files these lie in', async () => {
    const stages = new Set<string>();
    const listener = { progress: ({ stage }: { stage: string }) => stages.add(stage) };
    const out = join(folder(), 'once.safetensors');
    await train(store, { head: 'knn', memory: BOUND, pooling: 'flatten', out }, {}, { listener });
    const passes = [...stages].filter((stage) => stage.startsWith('training knn'));
    // To look for what is not finite, to answer for the validated images, for those that a rule for unknown is
    // calibrated on, for the table of answers, and for the probe images.
    expect(passes).toHaveLength(5);
  });

  it('keeps the rows of a knn in the store alone, and refuses others in their place', async () => {
    const own = join(folder(), 'own');
    cpSync(store, own, { recursive: true });
    const out = join(own, 'heads', 'knn.safetensors');
    await train(own, { head: 'knn', memory: BOUND, pooling: 'flatten', out }, { nNeighbors: 3 });
    const { document, tensors } = await readHead(out);
    const kept = [...tensors.keys()].filter((name) => !name.startsWith('probe/'));
    expect(kept).toEqual(['head/labels', 'trained/contents']);
    expect(document.trained.rows).toMatch(/^[0-9a-f]{64}$/);
    const fewer = await stripedDataset(join(folder(), 'Fewer'), 3, 2);
    await extract(fewer, { store: own, cut: 'block2_pool', engine: 'onnxruntime', shardMegabytes: 1 });
    expect((await readManifest(own)).sets).toHaveLength(1);
    const { message } = await rejection(predict(out, [picture]), 'FINGERPRINT_MISMATCH');
    expect(message).toMatch(/left its training rows in .*own, which now holds other training images/);
  });

  it('refuses heads that cannot, naming those that can, and a bound below what a shard takes', async () => {
    const cannot = await rejection(trained(BOUND, 'ml-logistic'), 'OPTION_INVALID');
    expect(cannot.message).toMatch(/"ml-logistic" cannot .* it takes all rows at once.* \(softmax, .*centroid\)/);
    const small = await rejection(trained('100MB', 'logistic'), 'OPTION_INVALID');
    expect(small.message).toMatch(
      /^train: memory is 0\.10 GB, and reading these features a shard at a time takes 0\.3\d GB/,
    );
  });

  it.each(['2', '2 bytes', '-1GB', 'GB', '1e3MB'])('refuses the size %s', async (memory) => {
    const { message } = await rejection(trained(memory, 'knn'), 'OPTION_INVALID');
    expect(message).toMatch(/memory must be a size such as 500MB/);
  });
});
