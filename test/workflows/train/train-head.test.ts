import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeaturePart } from '../../../src/core/sample.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import type { StoredPart } from '../../../src/store/read/stored-parts.ts';
import { commitDataset, openForWriting } from '../../../src/store/write/store.ts';
import { trainingData } from '../../../src/workflows/train/data.ts';
import { openHead, saveHead } from '../../../src/workflows/train/files/head-files.ts';
import type { TrainingPlan } from '../../../src/workflows/train/plan.ts';
import { trainHead } from '../../../src/workflows/train/train-head.ts';
import { probabilities } from '../../../src/workflows/train/trained-head.ts';
import { trainOnViews } from '../../../src/workflows/train/views-effect.ts';
import { trainWithin, trainWithRule } from '../../../src/workflows/train/within.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { joinedStore } from '../../support/joined-store.ts';
import { dataInBlocks } from '../../support/training.ts';
import { whole } from '../../support/stores.ts';

const folder = temporaryFolders();
const ONE: readonly FeaturePart[] = [{ cut: 'block5_pool', pooling: 'flatten' }];
const SIDE: readonly FeaturePart[] = [
  { cut: 'block5_pool', pooling: 'flatten' },
  { cut: 'block4_pool', pooling: 'avg' },
  { cut: 'block5_pool', pooling: 'max' },
];
/** Solved so far that what is left is float32. */
const TIGHT = { tol: 1e-8, maxIter: 500 };
let store: Store;

beforeAll(async () => {
  const path = join(folder(), 'store');
  await joinedStore(path);
  store = await openStore(path);
});

const CASES = [
  ['logistic', TIGHT, 0],
  ['linear-svm', TIGHT, 0],
  ['ridge', TIGHT, 0],
  ['ridge', { alphas: '0.01,1,100' }, 0],
  ['centroid', {}, 0],
  ['knn', { nNeighbors: 3, weights: 'distance' }, 0],
  ['logistic', TIGHT, 4],
  ['knn', { nNeighbors: 3 }, 4],
] as const;

describe.each([
  ['one part', ONE, 0],
  ['parts side by side', SIDE, 0],
  ['views', ONE, 1],
  ['views of parts side by side', SIDE, 1],
] as const)('training in streams on %s', (_, features, views) => {
  it.each(CASES)('is training in memory: %s %j on %i components', async (head, options, pca) => {
    for (const normalize of ['l2', 'standard', 'none'] as const) {
      const plan = { head, options, normalize, pca };
      const request = { owner: 'train', store, features, views };
      const data = await trainingData({ ...request, bound: Infinity });
      const inMemory = await trainOnViews(plan, data);
      const streamed = await trainHead(plan, await dataInBlocks(request));
      expect(streamed.result).toMatchObject({
        pooling: inMemory.result.pooling,
        trained: inMemory.result.trained,
        validated: inMemory.result.validated,
      });
      const [a, b] = [inMemory.head, streamed.head];
      const X = data.val.matrix!;
      const [P, Q] = [
        await probabilities({ head: a, normalizer: inMemory.normalizer }, X),
        await probabilities({ head: b, normalizer: streamed.normalizer }, X),
      ];
      // Raw rows are a hundred long: what a gradient of 1e-8 and float32 leave of the weights grows with that.
      const near = normalize === 'none' ? 5e-4 : pca > 0 ? 1e-4 : 2e-5;
      P.data.forEach((p, at) => expect(Math.abs(p - Q.data[at]!)).toBeLessThan(near));
    }
  });
});

describe('a knn in streams', () => {
  it('on views of parts side by side comes back with its rows, and refuses others in their place', async () => {
    const own = join(folder(), 'own');
    await joinedStore(own);
    const opened = await openStore(own);
    const plan = { head: 'knn', options: { nNeighbors: 2 }, normalize: 'l2', pca: 3 } as const;
    const about = { owner: 'train', store: opened, features: SIDE };
    const trained = await trainHead(plan, await dataInBlocks({ ...about, views: 1 }));
    const file = join(own, 'heads', 'knn.safetensors');
    const [{ set }, ...rest] = opened.parts(SIDE) as [StoredPart, ...StoredPart[]];
    await saveHead(file, trained, set, own);
    const { train, val } = await trainingData({ ...about, views: 0, bound: Infinity });
    const X = val.matrix!;
    const back = await openHead(file);
    expect(back.document.trained).toMatchObject({ views: 1 });
    expect(await probabilities(back, X)).toEqual(await probabilities(trained, X));

    const samples = [...(await train.samplesOf(train.places)).values()];
    const again = await openForWriting(own, '0.0.0');
    const sets = [set, ...rest.map((part) => part.set)];
    const covering = [...new Set(sets.map(({ fingerprint }) => fingerprint))].map((fingerprint) =>
      again.manifest.sets.find((one) => one.fingerprint === fingerprint)!,
    );
    const without = { root: '/pictures', sets: covering.flatMap(whole), samples, failures: [] };
    await commitDataset(again, without);
    const { message } = await rejection(openHead(file), 'FINGERPRINT_MISMATCH');
    expect(message).toContain('0 views of each image, not 1');
  });
});

describe('training within a memory', () => {
  it('counts the views, streams above it, and measures their effect as in memory', async () => {
    const plan = { head: 'logistic', options: TIGHT, normalize: 'l2', pca: 0 } as const;
    const wide = { features: [{ cut: 'block4_pool', pooling: 'flatten' }] } as const;
    const from = { owner: 'train', store, ...wide };
    // 40 rows of 60,000 numbers twice: 19 MB; views of 30 thrice more: 50 MB in all.
    const reason = async (views: number) => (await trainingData({ ...from, bound: 372e6, views })).train.reason;
    expect(await reason(0)).toBeUndefined();
    expect(await reason(1)).toEqual(textWith('0.37 GB allowed'));
    const notes: string[] = [];
    const listener = { note: (text: string) => notes.push(text) };
    const trained = (bound: number) => trainWithin(plan, { ...from, bound, views: 1 }, { reject: 0 }, { listener });
    const [inMemory, streamed] = [await trained(Infinity), await trained(380e6)];
    expect(notes).toEqual([
      textWith(/^The features are read in streams: in memory they would take/),
      textWith(/^Training logistic on 1 views in streams takes about 0\.3\d GB\.$/),
      textWith(/^Training logistic in streams takes about 0\.3\d GB\.$/),
    ]);
    expect(streamed.result.views).toEqual(inMemory.result.views);
    expect(streamed.result.params).toEqual(inMemory.result.params);
    expect(store.manifest.dataset.views).toHaveLength(1);
  });
});

describe('the rule for unknown of a head trained in streams', () => {
  async function judged(plan: TrainingPlan, rate: number) {
    const data = await dataInBlocks({
      owner: 'train',
      store,
      features: SIDE,
      views: 0,
    });
    return trainWithRule(plan, data, { reject: rate });
  }

  it('is told by rows that are no copies of those that it compares with, and measured on the held-out images', async () => {
    const plan = { head: 'logistic', options: {}, normalize: 'l2', pca: 0 } as const;
    const { result, reject } = await judged(plan, 0.2);
    const { rule, problem } = result.reject!;
    expect(problem).toBeNull();
    // Two classes: there is none to leave out.
    expect(rule).toMatchObject({
      measure: 'mean-distance',
      measures: [],
      leftOut: [],
      leftOutRejected: null,
    });
    expect(rule!.calibratedOn + rule!.comparedWith!).toBe(30);
    // Three of the ten are copies of training images.
    expect(rule!.validated).toMatchObject({ split: 'val', images: 7 });
    expect(result).toMatchObject({ validated: 7, leftOut: 3 });
    expect(reject).toMatchObject({ rate: 0.2, threshold: rule!.threshold });
    // Copies on both sides would be at no distance at all.
    expect(rule!.threshold).toBeGreaterThan(0.001);
    expect((await judged(plan, 0.2)).result.reject).toEqual(result.reject);
  });

  it('is none where the memory or the images are too few for it, which is said', async () => {
    const plan = { head: 'centroid', options: {}, normalize: 'l2', pca: 0 } as const;
    const few = await judged(plan, 0.01);
    expect(few.result.reject).toMatchObject({ rule: null, problem: textWith('99 are needed') });
    expect(few.reject).toBeUndefined();
    expect((await judged(plan, 0)).result.reject).toBeUndefined();
  });
});
