import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { headNetworks, readHead } from '../../../src/store/read/heads/head-file.ts';
import type * as ExtractModule from '../../../src/workflows/extract/extract.ts';
import type * as NeighborsModule from '../../../src/workflows/search/neighbors.ts';
import type * as PredictModule from '../../../src/workflows/predict/predict.ts';
import type * as SweepModule from '../../../src/workflows/sweep/sweep.ts';
import type * as TrainModule from '../../../src/workflows/train/train.ts';
import { built } from '../../support/built.ts';
import { describedNet } from '../../support/described-net.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';

// A network is measured in a process of its own.
const { extract } = await built<typeof ExtractModule>('workflows/extract/extract.js');
const { train } = await built<typeof TrainModule>('workflows/train/train.js');
const { sweep } = await built<typeof SweepModule>('workflows/sweep/sweep.js');
const { predict } = await built<typeof PredictModule>('workflows/predict/predict.js');
const { neighbors } = await built<typeof NeighborsModule>('workflows/search/neighbors.js');

const folder = temporaryFolders();
const cut = 'one/features,block1:max,two/features';
let networks: string;
let store: string;
let image: string;

beforeAll(async () => {
  networks = folder();
  const dataset = await noiseDataset(join(folder(), 'Noise'), {
    ...twoClasses(6, 'Train/'),
    ...twoClasses(2, 'Val/', 50),
  });
  image = join(dataset, 'Train/a/p2.png');
  store = join(folder(), 'both');
  const backbone = ['one', 'two'].map((name, i) => describedNet(join(networks, name), name, i + 1)).join();
  const asked = { store, backbone, engine: 'onnxruntime', precision: 'fp32' } as const;
  await extract(dataset, { ...asked, cut: 'one/features,one/block1:max,two/features' });
});

describe('features of several networks side by side', () => {
  it('are those of the store when an image is asked about, each part at its place', async () => {
    for (const parts of [cut, 'two/features,block1:max']) {
      const { queries } = await neighbors(store, [image], { cut: parts, k: 2 });
      const [nearest, next] = queries[0]!.neighbors;
      expect(nearest!.path).toBe('Train/a/p2.png');
      expect(nearest!.distance).toBeLessThan(1e-6);
      expect(next!.distance).toBeGreaterThan(1e-4);
    }
  });

  it('make heads whose files know every network, and that predict by all of them', async () => {
    const { file, backbone } = await train(store, { head: 'lda', cut, reject: 0 });
    expect(backbone).toBe('one + two');
    const { document } = await readHead(file!);
    const [first, second] = headNetworks(document);
    expect(first.parts.map((part) => [part.at, part.cut, part.pooling])).toEqual([
      [0, 'features', 'avg'],
      [1, 'block1', 'max'],
    ]);
    expect(second).toMatchObject({ network: { name: 'two' }, parts: [{ at: 2, cut: 'features' }] });
    expect(second!.settings.weights).not.toBe(first.settings.weights);
    const { predictions, others } = await predict(file!, [image]);
    expect(others).toMatchObject([{ backbone: 'two' }]);
    expect(predictions[0]!.neighbors[0]).toMatchObject({ path: 'Train/a/p2.png' });
    expect(predictions[0]!.neighbors[0]!.distance).toBeLessThan(1e-6);
  });

  it('need the file of each network, wherever it lies and whatever it is called', async () => {
    const { file } = await train(store, { head: 'lda', cut, reject: 0 });
    const there = join(networks, 'two', 'two.onnx');
    const before = await predict(file!, [image], { neighbors: 0 });
    renameSync(there, join(networks, 'two', 'renamed.onnx'));
    expect(await predict(file!, [image], { neighbors: 0 })).toEqual(before);
    const away = join(folder(), 'file.bin');
    mkdirSync(join(away, '..'), { recursive: true });
    copyFileSync(join(networks, 'two', 'renamed.onnx'), away);
    rmSync(join(networks, 'two', 'renamed.onnx'));
    const { message } = await rejection(predict(file!, [image], { neighbors: 0 }), 'BACKBONE_NOT_FOUND');
    const [, second] = headNetworks((await readHead(file!)).document);
    expect(message).toContain(second!.settings.weights);
    expect(await predict(file!, [image], { neighbors: 0, weights: away })).toEqual(before);
    const stranger = describedNet(join(folder(), 'three'), 'three', 3);
    await rejection(predict(file!, [image], { weights: stranger }), 'FINGERPRINT_MISMATCH');
    copyFileSync(away, there);
  });

  it('are swept, the network being one more axis', async () => {
    const heads = [{ head: 'lda' }] as const;
    const { candidates } = await sweep(store, { grid: { heads, normalize: 'l2' }, folds: 2, workers: 1 });
    expect(candidates.map((one) => one.cut).sort()).toEqual([
      'one/features',
      'one/features,two/features',
      'two/features',
    ]);
    const notes: string[] = [];
    const listener = { note: (text: string) => void notes.push(text) };
    const named = { cut: 'block1', pooling: 'max', heads, normalize: 'l2' } as const;
    expect((await sweep(store, { grid: named, folds: 2, workers: 1 })).candidates).toHaveLength(1);
    await rejection(
      sweep(store, { grid: { heads, pooling: 'flatten' }, folds: 2, workers: 1 }, { listener }),
      'OPTION_INVALID',
    );
    expect(notes.join('\n')).toMatch(/two is left out of the sweep: two\/features was extracted without flatten/);
  });
});
