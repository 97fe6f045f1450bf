import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { extract, openClassifier, openClassifiers, train } from '../../../src/index.ts';
import { headNetworks } from '../../../src/store/read/heads/head-file.ts';
import { sharedNetworks } from '../../../src/workflows/classifier/shared-networks.ts';
import { cutsOfParts } from '../../../src/workflows/network/cuts.ts';
import type { Extractor } from '../../../src/workflows/network/extractor.ts';
import { openHead } from '../../../src/workflows/train/files/head-files.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const folder = temporaryFolders();
let dataset: string;
/** Heads on the mean and the maximum of one cut, on two cuts side by side, and on the shallower one alone. */
let heads: Record<'mean' | 'maximum' | 'both' | 'shallow', string>;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 4, 2);
  const store = join(folder(), 'store');
  await extract(dataset, { store, cut: 'block1_pool,block2_pool', engine: 'onnxruntime', precision: 'fp32' });
  const trained = async (options: Parameters<typeof train>[1]): Promise<string> =>
    (await train(store, { reject: 0, probeImages: 0, ...options })).file!;
  heads = {
    mean: await trained({ head: 'logistic', pooling: 'avg' }),
    maximum: await trained({ head: 'centroid', pooling: 'max' }),
    both: await trained({ head: 'lda', cut: 'block2_pool,block1_pool', pooling: 'avg' }),
    shallow: await trained({ head: 'lda', cut: 'block1_pool', pooling: 'avg' }),
  };
}, 120_000);

describe('heads that are opened together', () => {
  it('answer as each does alone, one image at a time and all at once', async () => {
    const files = Object.values(heads);
    const pictures = ['across', 'down'].flatMap((label) => [0, 1].map((i) => join(dataset, `Val/${label}/${i}.png`)));
    const alone: number[][] = [];
    for (const file of files) {
      const one = await openClassifier(file);
      alone.push(
        (await Promise.all(pictures.map((path) => one.predict(path)))).map(({ probabilities }) => probabilities.down!),
      );
      await one.close();
    }
    const all = await openClassifiers(files);
    expect(all.map(({ facts }) => `${facts.cut} ${facts.pooling}`)).toEqual([
      'block2_pool avg',
      'block2_pool max',
      'block2_pool block2_pool:avg,block1_pool:avg',
      'block1_pool avg',
    ]);
    const together = await Promise.all(
      all.map((one) => Promise.all(pictures.map(async (path) => (await one.predict(path)).probabilities.down!))),
    );
    for (const [h, found] of together.entries())
      for (const [i, p] of found.entries()) expect(p, `${files[h]} on ${pictures[i]}`).toBeCloseTo(alone[h]![i]!, 4);
    // One that is closed takes nothing from the others.
    await all[0]!.close();
    expect((await all[1]!.predict(pictures[0]!)).probabilities.down).toBeCloseTo(alone[1]![0]!, 4);
    for (const one of all) await one.close();
  });

  it('share the network where they are cut at one place, until the last of them is closed', async () => {
    const documents = await Promise.all(Object.values(heads).map(async (file) => (await openHead(file)).document));
    const open = sharedNetworks(documents);
    const request = { engine: 'onnxruntime', device: 'auto', precision: 'auto', threads: 0, tuned: undefined } as const;
    const opened: Extractor[] = [];
    for (const document of documents) {
      const [{ settings, network: known, parts }] = headNetworks(document);
      opened.push(await open(settings, { ...request, weights: '', known, cuts: cutsOfParts(parts) }));
    }
    const [mean, maximum, both, shallow] = opened as [Extractor, Extractor, Extractor, Extractor];
    expect(new Set([mean, maximum, both].map(({ program }) => program)).size).toBe(1);
    expect(shallow.program).not.toBe(mean.program);
    const { size } = mean.contract;
    const square = Uint8Array.from({ length: size ** 2 * 3 }, (_, i) => (i * 31) % 256);
    const widths = async ({ executable }: Extractor): Promise<number[]> =>
      (await executable.run(square, 1)).map(({ cols }) => cols);
    expect(await Promise.all(opened.map(widths))).toEqual([[128], [128], [128, 64], [64]]);
    await mean.executable.dispose();
    await mean.executable.dispose();
    await maximum.executable.dispose();
    expect(await widths(both)).toEqual([128, 64]);
    await both.executable.dispose();
    await expect(widths(both)).rejects.toThrow();
    await shallow.executable.dispose();
  });

  it('stay open in no part where one of them is no head', async () => {
    await rejection(openClassifiers([heads.mean, join(folder(), 'nowhere.safetensors')]), 'HEAD_CORRUPT');
  });
});
