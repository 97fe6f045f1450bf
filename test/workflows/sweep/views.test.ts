import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { extract } from '../../../src/workflows/extract/extract.ts';
import type { sweep as sourceSweep } from '../../../src/workflows/sweep/sweep.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

// Threads are started from a file, which Node 20 must be able to run: the built one. So this is the built workflow too.
type Workflow = { readonly sweep: typeof sourceSweep };
const { sweep } = (await import(new URL('../../../dist/workflows/sweep/sweep.js', import.meta.url).href)) as Workflow;

const folder = temporaryFolders();
const options = { engine: 'onnxruntime', precision: 'fp32', cut: 'block1_pool:avg', zoom: 0.5 } as const;
let store: string;

beforeAll(async () => {
  const dataset = await stripedDataset(join(folder(), 'Stripes'), 6, 3);
  store = join(folder(), 'store');
  await extract(dataset, { ...options, store, views: 2 });
});

const grid = { pca: 0, normalize: 'l2' as const };

describe('a sweep over views', () => {
  it('compares heads with and without them on the same held-out images, and knows them apart', async () => {
    const heads = [{ head: 'logistic', C: 10 }, { head: 'softmax' }];
    const result = await sweep(store, { grid: { ...grid, views: [0, 1, 2], heads }, folds: 3 });
    expect(result).toMatchObject({ computed: 6, images: 12 });
    expect(result.candidates.map(({ head, views }) => `${head} ${views}`).sort()).toEqual([
      'logistic 0',
      'logistic 1',
      'logistic 2',
      'softmax 0',
      'softmax 1',
      'softmax 2',
    ]);
    const losses = result.candidates.map(({ scores }) => scores.logLoss.value);
    expect(new Set(losses).size).toBe(6);
    const again = await sweep(store, { grid: { ...grid, views: 2, heads }, folds: 3 });
    expect(again).toMatchObject({ computed: 0, reused: 2 });
    const alone = await sweep(store, { grid: { ...grid, heads }, folds: 3 });
    expect(alone).toMatchObject({ computed: 0, reused: 2 });
  });

  it('trains and saves the best as train does on the same views, and tells what they were worth', async () => {
    const heads = [{ head: 'logistic', C: 10 }];
    const { best } = await sweep(store, { grid: { ...grid, views: 2, heads }, folds: 3, save: true });
    expect(best.views).toMatchObject({ count: 2 });
    expect(best.reject).toMatchObject({ rule: null, problem: expect.stringMatching(/views/) as string });
    const saved = readFileSync(best.file!);
    const trained = await train(store, { head: 'logistic', normalize: 'l2', views: 2 }, { C: 10 });
    // Each measures two heads on Val: with the views and without.
    expect(trained.looks!.heads).toBe(best.looks!.heads + 2);
    const unlike = { fitMs: 0, predictMs: 0, looks: null };
    expect({ ...best, ...unlike }).toEqual({ ...trained, ...unlike });
    expect(readFileSync(trained.file!).equals(saved)).toBe(true);
  });

  it('is refused where the store has fewer, with the way to them', async () => {
    await expect(sweep(store, { grid: { ...grid, views: 3 } })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/holds 2 views .* not 3.*--views 3/) as string,
    });
  });
});
