import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors } from '../../../src/core/safetensors.ts';
import { vgg19 } from '../../../src/extract/backbones/vgg.ts';
import { openStore } from '../../../src/store/open.ts';
import { storedNetworks } from '../../../src/store/read/stored-networks.ts';
import type * as ExtractModule from '../../../src/workflows/extract/extract.ts';
import type * as NeighborsModule from '../../../src/workflows/search/neighbors.ts';
import type * as PredictModule from '../../../src/workflows/predict/predict.ts';
import type * as TrainModule from '../../../src/workflows/train/train.ts';
import { built } from '../../support/built.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';
import { randomWeights } from '../../support/tiny-backbone.ts';

const { extract } = await built<typeof ExtractModule>('workflows/extract/extract.js');
const { predict } = await built<typeof PredictModule>('workflows/predict/predict.js');
const { neighbors } = await built<typeof NeighborsModule>('workflows/search/neighbors.js');
const { train } = await built<typeof TrainModule>('workflows/train/train.js');

const folder = temporaryFolders();
let weights: string;
let store: string;
let images: string[];

beforeAll(async () => {
  const dataset = await noiseDataset(join(folder(), 'Noise'), {
    ...twoClasses(4, 'Train/'),
    ...twoClasses(2, 'Val/', 50),
  });
  images = ['a', 'b'].map((label) => join(dataset, 'Val', label, 'p50.png'));
  weights = join(folder(), 'vgg19.safetensors');
  const { tensors } = randomWeights(vgg19, 3);
  const typed = new Map([...tensors].map(([name, one]) => [name, { dtype: 'F32', ...one } as const]));
  writeFileSync(weights, writeSafetensors(typed));
  store = join(folder(), 'store');
  // Cuts that both have: an early one takes a hundredth of the time.
  const cut = 'block1_pool:avg+max';
  const request = { store, cut, engine: 'onnxruntime', precision: 'fp32' } as const;
  // The file says itself whose weights it holds.
  await extract(dataset, { ...request, backbone: 'vgg16,vgg19', weights });
});

const head = async (cut: string, out: string): Promise<string> =>
  (await train(store, { head: 'logistic', cut, reject: 0, out: join(folder(), out) })).file!;

describe('VGG16 and VGG19 in one store', () => {
  it('tell their cuts of one name apart', async () => {
    const opened = await openStore(store);
    expect(storedNetworks(opened).flatMap(({ sets }) => sets.map(({ name }) => name))).toEqual([
      'vgg16/block1_pool',
      'vgg19/block1_pool',
    ]);
    const featuresOf = async (cut: string): Promise<number[]> => {
      const { matrix: X } = await opened.rows({ parts: [{ cut, pooling: 'avg' }], memory: 'matrix' });
      return [...X.data];
    };
    expect(await featuresOf('block1_pool')).toEqual(await featuresOf('vgg16/block1_pool'));
    expect(await featuresOf('vgg19/block1_pool')).not.toEqual(await featuresOf('vgg16/block1_pool'));
  });

  it('give heads on each and on both side by side, which answer as on the stored features', async () => {
    const alone = await head('vgg16/block1_pool:avg', 'sixteen.safetensors');
    const other = await head('vgg19/block1_pool:avg', 'nineteen.safetensors');
    const both = await head('vgg16/block1_pool:avg,vgg19/block1_pool:max', 'both.safetensors');
    // VGG16's weights come along; those of VGG19 are asked for, and not taken for the other's.
    await predict(alone, images, { neighbors: 0 });
    const lacking = await rejection(predict(other, images, { neighbors: 0 }), 'WEIGHTS_NOT_FOUND');
    expect(lacking.message).toContain('vgg19');
    await rejection(predict(both, images, { neighbors: 0 }), 'WEIGHTS_NOT_FOUND');
    for (const file of [other, both]) {
      const { predictions } = await predict(file, images, { neighbors: 2, weights });
      expect(predictions.map(({ neighbors: near }) => near.length)).toEqual([2, 2]);
    }
    await rejection(predict(alone, images, { neighbors: 0, weights }), 'WEIGHTS_MISMATCH');
  });

  it('have neighbours of their own', async () => {
    const near = async (cut: string) =>
      (
        await neighbors(store, images, { cut, split: 'all', weights: cut.startsWith('vgg19') ? weights : '' })
      ).queries.map((query) => query.neighbors[0]!);
    for (const cut of ['vgg16/block1_pool', 'vgg19/block1_pool'])
      for (const { path, distance } of await near(cut)) {
        expect(path).toMatch(/^Val\/[ab]\/p50\.png$/);
        expect(distance).toBeLessThan(1e-5);
      }
  });
});
