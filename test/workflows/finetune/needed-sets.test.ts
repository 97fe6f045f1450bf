import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/store/open.ts';
import { currentSets } from '../../../src/store/read/stored-parts.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { withNeededSets } from '../../../src/workflows/finetune/needed-sets.ts';
import { storedInputs } from '../../../src/workflows/finetune/training/inputs.ts';
import { tailFrom } from '../../../src/workflows/finetune/training/tail.ts';
import { emojiDataset } from '../../support/emoji-dataset.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
let dataset: string;
let pooled: string;
const ENGINE = { engine: 'onnxruntime', precision: 'fp32' } as const;
beforeAll(async () => {
  dataset = await emojiDataset(join(folder(), 'emoji'), ['food', 'fruit'], 1);
  pooled = join(folder(), 'store');
  await extract(dataset, { store: pooled, cut: 'block5_pool:avg', ...ENGINE });
}, 240_000);

async function copied(): Promise<{ readonly store: Store; readonly path: string }> {
  const path = join(folder(), 'store');
  cpSync(pooled, path, { recursive: true });
  return { path, store: await openStore(path) };
}

const cutsOf = (store: Store, view?: number): string[] =>
  currentSets(store, view).map(({ set, poolings }) => `${set.settings.cut}:${poolings.join('+')}`);

/** Extracts what is missing, and what was told of it. */
async function needed(store: Store, from: string, views = 0): Promise<{ store: Store; notes: string[] }> {
  const notes: string[] = [];
  const listener = { note: (text: string) => void notes.push(text) };
  const found = await withNeededSets(store, tailFrom(vgg16, from, 224), { views, weights: '' }, { listener });
  return { store: found, notes: notes.filter((text) => text.startsWith('The store lacks')) };
}

it('extracts the maps of the cut once, and leaves the primary features what they are', async () => {
  const { store } = await copied();
  const first = await needed(store, 'block5_conv1');
  expect(first.notes).toEqual(['The store lacks block4_pool:flatten: extracted now, once for all.']);
  expect(cutsOf(first.store)).toEqual(['block5_pool:avg', 'block4_pool:flatten+avg+max']);
  const second = await needed(await openStore(store.path), 'block5_conv1');
  expect(second.notes).toEqual([]);
  const before = await store.rows({ parts: 'avg', memory: 'matrix' });
  const after = await second.store.rows({ parts: 'avg', memory: 'matrix' });
  expect(after.matrix).toEqual(before.matrix);
}, 240_000);

it('asks nothing of the cut of a network that reads pixels', async () => {
  const { store } = await copied();
  expect((await needed(store, 'block1_conv1', 2)).notes).toEqual([]);
});

it('extracts views of the cut alone, and keeps those that the store has', async () => {
  const { store, path } = await copied();
  const first = await needed(store, 'block5_conv1', 1);
  expect(first.notes).toEqual([
    'The store lacks block4_pool:flatten and 1 views of block4_pool: extracted now, once for all.',
  ]);
  expect(cutsOf(first.store, 1)).toEqual(['block4_pool:flatten+avg+max']);
  const inputs = await storedInputs(first.store, 'block4_pool', 'train', 1);
  const [image, view] = [new Float32Array(inputs.width), new Float32Array(inputs.width)];
  await inputs.read([{ image: 0, view: 0 }], image);
  await inputs.read([{ image: 0, view: 1 }], view);
  expect(view).not.toEqual(image);

  // Views of the pooled features are there before: one more view is extracted of both.
  const other = join(path, '..', 'viewed');
  await extract(dataset, { store: other, cut: 'block5_pool:avg', views: 1, ...ENGINE });
  const second = await needed(await openStore(other), 'block5_conv1', 2);
  expect(cutsOf(second.store, 1)).toEqual(['block5_pool:avg', 'block4_pool:flatten+avg+max']);
  expect(cutsOf(second.store, 2)).toEqual(['block5_pool:avg', 'block4_pool:flatten+avg+max']);
}, 240_000);
