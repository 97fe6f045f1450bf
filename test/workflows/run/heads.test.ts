import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { openStore } from '../../../src/store/open.ts';
import { commitDataset } from '../../../src/store/write/store.ts';
import { headsOfRun } from '../../../src/workflows/run/heads.ts';
import { RUN_HEADS } from '../../../src/workflows/run/tasks.ts';
import { trainingData } from '../../../src/workflows/train/data.ts';
import { headOf } from '../../../src/workflows/train/plan.ts';
import { trainHead } from '../../../src/workflows/train/train-head.ts';
import { probabilities } from '../../../src/workflows/train/trained-head.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore, whole } from '../../support/stores.ts';

const folder = temporaryFolders();
/** Less than these rows take in memory, more than a shard of them. */
const BOUND = '360MB';
const widths = { flatten: 4000, avg: 4000, max: 6 };
let store: string;

beforeAll(async () => {
  const rows = Array.from({ length: 420 }, (_, i) =>
    storedRow(`${String(i).padStart(3, '0')}.jpg`, {
      label: ['ant', 'bee', 'cat'][i % 3]!,
      split: i < 360 ? 'train' : 'val',
    }),
  );
  // Stored in another order than that of the paths, and in several shards.
  const shuffled = random(3).shuffle([...rows]);
  const made = await fillStore(join(folder(), 'store'), shuffled, { widths, perShard: 50 });
  store = made.store;
  const dataset = { root: '/pictures', sets: whole(made.set), samples: rows, failures: [] };
  await commitDataset({ path: store, manifest: made.manifest }, dataset);
});

describe('the heads of a run within a memory that the features do not fit', () => {
  it('are trained in streams, which is said once for a group of features; the others are left out with the reason', async () => {
    const notes: string[] = [];
    const options = { allHeads: false, reject: 0.05, probeImages: 0, views: 0, memory: BOUND };
    const told = await headsOfRun(store, options, { listener: { note: (text) => notes.push(text) } });
    const streamed = expect.stringMatching(/^The features are read in streams/) as string;
    expect(notes).toEqual([streamed, streamed]);
    expect(told.heads.length + told.skipped.length).toBe(RUN_HEADS.length + 1);
    expect(told.skipped.find(({ name }) => name === 'ensemble (avg)')!.reason).toMatch(/in streams/);
    for (const head of ['kernel-ridge', 'logistic'])
      expect(told.heads.filter(({ name }) => name === head)).toHaveLength(2);
    // By cross-validation on a sample of the training images, not by the validated ones.
    expect(told.choice).toEqual({ by: 'crossValidation', reason: null });
    const judged = told.heads.map(({ crossValidated }) => crossValidated!);
    const whole = judged.filter(({ folds, ofFolds }) => folds === ofFolds).map(({ accuracy }) => accuracy);
    expect(judged.slice(0, whole.length).map(({ accuracy }) => accuracy)).toEqual(whole.sort((a, b) => b - a));
    const [best, ...others] = told.heads;
    expect(existsSync(best!.file!)).toBe(true);
    expect(others.every(({ file }) => file === null)).toBe(true);
    expect(best!.reject).toBeDefined();
    expect(best!.comparison).toEqual({ pValue: 1, adjusted: 1, test: 'mcnemar', toldApart: false });
    expect(told.confusion.counts.flat().reduce((sum, n) => sum + n, 0)).toBe(60);
    expect(told.mistakes.length).toBeLessThanOrEqual(10);
  }, 120_000);

  it('are left out with a reason in the name of the run where no shard fits the memory', async () => {
    const { message } = await rejection(
      headsOfRun(store, { allHeads: false, reject: 0, probeImages: 0, views: 0, memory: '300MB' }),
      'FIT_INVALID',
    );
    expect(message).toMatch(/run: memory is 0\.30 GB, and reading these features a shard at a time takes/);
    expect(message).not.toMatch(/train: /);
  });

  it('answer for the validated images in the order of their paths, as heads in memory do', async () => {
    const plan = { head: 'knn', normalize: 'l2' } as const;
    const request = { owner: 'train', store: await openStore(store), features: 'avg', views: 0 } as const;
    const [streamed, inMemory] = await Promise.all(
      [360e6, 1e9].map(async (bound) => trainHead(plan, await trainingData({ ...request, bound }))),
    );
    expect([...streamed!.judged.truth]).toEqual(Array.from({ length: 60 }, (_, i) => i % 3));
    expect(streamed!.judged).toEqual(inMemory!.judged);
    expect(streamed!.confusion).toEqual(inMemory!.confusion);
    expect(streamed!.mistakes).toEqual(inMemory!.mistakes);
    expect(streamed!.result.logLoss).toBeCloseTo(inMemory!.result.logLoss, 10);
  });
});

describe('each head of a run', () => {
  it.each(RUN_HEADS)(
    'answers the same on the same stored features within a small memory: $head on $pooling, $normalize',
    async (plan) => {
      const request = { owner: 'run', store: await openStore(store), features: plan.pooling, views: 0 };
      const [inMemory, inBlocks] = await Promise.all([1e9, 360e6].map((bound) => trainingData({ ...request, bound })));
      expect([inMemory!.train.reason, typeof inBlocks!.train.reason]).toEqual([undefined, 'string']);
      // The covariance of so many columns has no room in the memory.
      if (headOf(plan).inMemoryOnly !== undefined || plan.head === 'lda') {
        await rejection(trainHead(plan, inBlocks!), 'OPTION_INVALID');
        return;
      }
      // Heads that learn by epochs meet the rows of blocks in another order: with steps of nothing that does not show.
      const byEpochs = ['softmax', 'mlp'].includes(plan.head) && { maxEpochs: 1, learningRate: 1e-9 };
      const exactly = ['logistic', 'linear-svm', 'ridge'].includes(plan.head) && { tol: 1e-8, maxIter: 500 };
      const solved = { ...plan, options: { ...plan.options, ...byEpochs, ...exactly } };
      const [one, other] = [await trainHead(solved, inMemory!), await trainHead(solved, inBlocks!)];
      const X = inMemory!.val.matrix!;
      const [P, Q] = [await probabilities(one, X), await probabilities(other, X)];
      P.data.forEach((p, at) => expect(Math.abs(p - Q.data[at]!)).toBeLessThan(2e-5));
      expect([...one.judged.truth]).toEqual([...other.judged.truth]);
    },
  );
});
