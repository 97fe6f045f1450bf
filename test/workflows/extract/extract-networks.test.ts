import type * as ExtractModule from '../../../src/workflows/extract/extract.ts';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { openStore } from '../../../src/store/open.ts';
import { storedNetworks } from '../../../src/store/read/stored-networks.ts';
import type * as RunModule from '../../../src/workflows/run/run.ts';
import type * as RepairModule from '../../../src/workflows/care/repair.ts';
import type * as InspectModule from '../../../src/workflows/care/inspect.ts';
import type * as TrainModule from '../../../src/workflows/train/train.ts';
import { readHead } from '../../../src/store/read/heads/head-file.ts';
import { trainingRows } from '../../../src/workflows/train/training-rows.ts';
import type * as VerifyModule from '../../../src/workflows/care/verify.ts';
import { built } from '../../support/built.ts';
import { permafrost } from '../../support/command.ts';
import { describedNet } from '../../support/described-net.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';

// A network is measured in a process of its own.
const { extract } = await built<typeof ExtractModule>('workflows/extract/extract.js');
const { run } = await built<typeof RunModule>('workflows/run/run.js');
const { repair } = await built<typeof RepairModule>('workflows/care/repair.js');
const { inspect } = await built<typeof InspectModule>('workflows/care/inspect.js');
const { train } = await built<typeof TrainModule>('workflows/train/train.js');
const { verify } = await built<typeof VerifyModule>('workflows/care/verify.js');

const folder = temporaryFolders();
const options = { engine: 'onnxruntime', precision: 'fp32' } as const;
const files = { ...twoClasses(4, 'Train/'), ...twoClasses(2, 'Val/', 50) };
let dataset: string;
let one: string;
let two: string;

beforeAll(async () => {
  dataset = await noiseDataset(join(folder(), 'Noise'), files);
  one = describedNet(join(folder(), 'one'), 'one', 1);
  two = describedNet(join(folder(), 'two'), 'two', 2);
});

/** A listener that keeps what is noted. */
function notesOf() {
  const notes: string[] = [];
  return { notes, listener: { note: (text: string) => void notes.push(text) } };
}

const names = async (store: string): Promise<string[]> =>
  storedNetworks(await openStore(store)).flatMap(({ sets }) => sets.map(({ name }) => name));

/** Features of all images, of a cut by its name. */
async function featuresOf(store: string, cut: string): Promise<number[]> {
  const { matrix: X } = await (await openStore(store)).rows({ parts: [{ cut, pooling: 'avg' }], memory: 'matrix' });
  return [...X.data];
}

describe('several networks in one store', () => {
  it('are extracted by one command, the first named being the primary one, each as it is alone', async () => {
    const store = join(folder(), 'both');
    const result = await extract(dataset, { ...options, store, backbone: `${one},${two}` });
    expect(result).toMatchObject({ backbone: 'one', extracted: 12, others: [{ backbone: 'two', extracted: 12 }] });
    expect(await names(store)).toEqual(['one/features', 'two/features']);
    for (const [cut, backbone] of [
      ['one/features', one],
      ['two/features', two],
    ] as const) {
      const alone = join(folder(), 'alone');
      await extract(dataset, { ...options, store: alone, backbone });
      expect(await featuresOf(store, cut)).toEqual(await featuresOf(alone, 'features'));
    }
    expect(await featuresOf(store, 'features')).toEqual(await featuresOf(store, 'one/features'));
    expect(await featuresOf(store, 'two/features')).not.toEqual(await featuresOf(store, 'one/features'));
    expect((await inspect(store)).sets.map(({ current, primary }) => [current, primary])).toEqual([
      [true, false],
      [true, true],
    ]);
    const again = await extract(dataset, { ...options, store, backbone: `${one},${two}` });
    expect(again).toMatchObject({ extracted: 0, others: [{ extracted: 0 }] });
  });

  it('give each its own cuts, by name where several have them', async () => {
    const store = join(folder(), 'cuts');
    const backbone = `${one},${two}`;
    await extract(dataset, { ...options, store, backbone, cut: 'one/block1:avg,two/pool:max,features' });
    expect(await names(store)).toEqual(['one/features', 'block1', 'two/features', 'pool']);
    const named = { ...options, store, backbone };
    await expect(extract(dataset, { ...named, cut: 'nowhere' })).rejects.toThrow(
      /none of one, two has the cut nowhere.*one\/logits or two\/logits/,
    );
    await expect(extract(dataset, { ...named, contract: 'imagenet' })).rejects.toThrow(/is of one backbone/);
    await rejection(extract(dataset, { ...named, backbone: `${one},${one}` }), 'OPTION_INVALID');
    const opened = await openStore(store);
    expect(() => opened.parts([{ cut: 'two/block1', pooling: 'avg' }])).toThrow(
      /extracted at one\/features:avg, block1:avg \(one\); two\/features:avg, pool:max \(two\), so it has no two\/block1/,
    );
  });

  it('keeps what another network has of every image, and says where one falls out', async () => {
    const own = await noiseDataset(join(folder(), 'Noise'), files);
    const store = join(folder(), 'later');
    await extract(own, { ...options, store, backbone: one });
    expect((await readManifest(store)).dataset.others).toBeUndefined();
    const { notes, listener } = notesOf();
    await extract(own, { ...options, store, backbone: two }, { listener });
    expect(await names(store)).toEqual(['two/features', 'one/features']);
    expect(notes.join('\n')).not.toMatch(/lack/);
    await noiseDataset(own, twoClasses(1, 'Train/', 90));
    await extract(own, { ...options, store, backbone: two }, { listener });
    expect(notes.join('\n')).toMatch(/The features of one lack 2 images of the data set, so no command takes them/);
    expect(await names(store)).toEqual(['features']);
    const { extracted } = await extract(own, { ...options, store, backbone: one });
    expect(extracted).toBe(2);
    expect(await names(store)).toEqual(['one/features', 'two/features']);
    // Both at once bring new images to both, and nothing is said to fall out.
    await noiseDataset(own, twoClasses(1, 'Train/', 95));
    const later = notesOf();
    await extract(own, { ...options, store, backbone: `${one},${two}` }, later);
    expect(later.notes.join('\n')).not.toMatch(/lack/);
    expect(await names(store)).toEqual(['one/features', 'two/features']);
  });

  it('have their views beside each other', async () => {
    const store = join(folder(), 'views');
    await extract(dataset, { ...options, store, backbone: `${one},${two}`, views: 2 });
    const opened = await openStore(store);
    for (const cut of ['one/features', 'two/features']) {
      const parts = [{ cut, pooling: 'avg' }] as const;
      const rows = await opened.rows({ parts, splits: ['train'], views: 2, memory: 'matrix' });
      expect(rows.views.map((view) => [...view.matrix.data])).not.toContainEqual([...rows.matrix.data]);
    }
    await extract(dataset, { ...options, store, backbone: one });
    const bare = await openStore(store);
    expect(() => bare.parts([{ cut: 'one/features', pooling: 'avg' }], 1)).toThrow(/holds 0 views/);
    expect(bare.parts([{ cut: 'two/features', pooling: 'avg' }], 2)).toHaveLength(1);
  });

  it('are repaired, each from its own network', async () => {
    const store = join(folder(), 'repaired');
    await extract(dataset, { ...options, store, backbone: `${one},${two}` });
    const before = [await featuresOf(store, 'one/features'), await featuresOf(store, 'two/features')];
    const { sets } = await readManifest(store);
    for (const { shards } of sets) {
      const file = join(store, shards[0]!.files.avg!.name);
      const bytes = readFileSync(file);
      bytes[bytes.length - 100]! ^= 1;
      writeFileSync(file, bytes);
    }
    expect(await repair(store)).toMatchObject({ extracted: 24, next: null });
    expect((await verify(store)).ok).toBe(true);
    expect([await featuresOf(store, 'one/features'), await featuresOf(store, 'two/features')]).toEqual(before);
    expect(await names(store)).toEqual(['one/features', 'two/features']);
  });

  it('are repaired as far as their files are there, and the missing file is named by its digest', async () => {
    const own = join(folder(), 'own');
    const lost = describedNet(join(own, 'lost'), 'lost', 3);
    const digest = sha256Hex(readFileSync(lost));
    const damage = async (store: string, network: string): Promise<void> => {
      const { sets } = await readManifest(store);
      const file = join(store, sets.find((set) => set.network?.name === network)!.shards[0]!.files.avg!.name);
      const bytes = readFileSync(file);
      bytes[bytes.length - 100]! ^= 1;
      writeFileSync(file, bytes);
    };
    for (const backbone of [`${one},${lost},${two}`, `${lost},${one},${two}`]) {
      describedNet(join(own, 'lost'), 'lost', 3);
      const store = join(folder(), 'partly');
      await extract(dataset, { ...options, store, backbone });
      const before = await featuresOf(store, 'one/features');
      for (const name of ['lost', 'one']) await damage(store, name);
      rmSync(lost);
      const { extracted, next } = await repair(store);
      expect(extracted).toBe(12);
      expect(next).toMatch(
        new RegExp(`What was lost of lost could not be extracted again: its file.* the digest ${digest}, is nowhere`),
      );
      const isPrimary = backbone.startsWith(lost);
      expect(/Until then one is the primary network/.test(next!)).toBe(isPrimary);
      expect((await verify(store)).ok).toBe(true);
      expect(await names(store)).toEqual(['one/features', 'two/features']);
      expect(await featuresOf(store, 'features')).toEqual(before);
      expect(await repair(store)).toMatchObject({ damaged: [], extracted: 0, next: null });
      // With its file it comes back, and only what was lost is made again.
      describedNet(join(own, 'lost'), 'lost', 3);
      expect(await extract(dataset, { ...options, store, backbone: lost })).toMatchObject({ extracted: 12 });
      expect(await names(store)).toEqual(['lost/features', 'one/features', 'two/features']);
    }
    // A network that lost nothing needs no file, and stays primary.
    const store = join(folder(), 'whole');
    await extract(dataset, { ...options, store, backbone: `${lost},${one}` });
    await damage(store, 'one');
    rmSync(lost);
    expect(await repair(store)).toMatchObject({ extracted: 12, next: null });
    expect(await names(store)).toEqual(['lost/features', 'one/features']);
    describedNet(join(own, 'lost'), 'lost', 3);
    await damage(store, 'lost');
    rmSync(lost);
    const failed = await permafrost(['repair', store]);
    expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining(digest)]);
  });

  it('have views of their own, which a head that left its rows in the store finds again', async () => {
    const store = join(folder(), 'left');
    await extract(dataset, { ...options, store, backbone: two, views: 2 });
    const { document } = await readHead((await train(store, { head: 'knn', reject: 0 })).file!);
    const left = await (await openStore(store)).rows({ parts: 'avg', splits: ['train'], views: 2, memory: 'blocks' });
    // As a head of features that do not fit into memory says it.
    const trained = { ...document.trained, rows: left.digest, views: 2 };
    const found = () => trainingRows('knn', store, { ...document, trained });
    // Another network, without views, becomes the primary one; then the other way round.
    await extract(dataset, { ...options, store, backbone: one });
    expect((await found())!.views).toHaveLength(2);
    await extract(dataset, { ...options, store, backbone: two });
    await extract(dataset, { ...options, store, backbone: one, views: 2 });
    await expect(found()).rejects.toThrow(/now holds 0 views of each image, not 2/);
  });

  it('are ranked each and all side by side', async () => {
    const store = join(folder(), 'ranked');
    const { heads } = await run(dataset, { ...options, store, backbone: `${one},${two}`, reject: 0 });
    const rows = heads.map(({ name, backbone, pooling }) => `${name} ${backbone} ${pooling}`).sort();
    const tried = ['ensemble', 'kernel-ridge', 'knn', 'lda', 'logistic'];
    expect(rows).toEqual(
      tried.flatMap((name) => [
        `${name} one + two one/features:avg,two/features:avg`,
        `${name} one avg`,
        `${name} two two/features:avg`,
      ]),
    );
    // Heads of one network alone are those of that network.
    const alone = await run(dataset, { ...options, store, backbone: two, reject: 0 });
    expect(alone.heads.map(({ backbone }) => backbone)).toEqual(alone.heads.map(() => 'two'));
    await rejection(run(dataset, { ...options, store, backbone: one, strategies: true }), 'OPTION_INVALID');
  });
});
