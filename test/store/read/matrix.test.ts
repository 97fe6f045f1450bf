import { readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POOLINGS, type Pooling } from '../../../src/core/sample.ts';
import { without } from '../../../src/core/options.ts';
import type { ManifestDraft } from '../../../src/store/format/manifest.ts';
import { setRows } from '../../../src/store/read/shards.ts';
import { openForWriting, setFor } from '../../../src/store/write/store.ts';
import { featureWriter } from '../../../src/store/write/writer.ts';
import { textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { ENGINE, featuresOf, settingsWith, storedRow, WIDTHS } from '../../support/stored-rows.ts';
import { commitSamples, fillStore, openMade, matricesOf } from '../../support/stores.ts';

const temporaryFolder = temporaryFolders();

/** A store with one shard of three rows, committed. */
async function smallStore(): Promise<{ store: string; manifest: ManifestDraft }> {
  const store = join(temporaryFolder(), 'store');
  const { manifest } = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, { settings: settingsWith(), engine: ENGINE, widths: WIDTHS });
  const rows = [storedRow('a.jpg'), storedRow('b.jpg'), storedRow('c.jpg', { split: 'val' })];
  const writer = featureWriter({ store: { path: store, manifest }, set, expectedRows: rows.length });
  await writer.append(featuresOf(rows));
  await writer.seal();
  await commitSamples({ store, manifest, set }, rows);
  return { store, manifest };
}

/** Reads all that the store holds in one of its kinds of file. */
async function readKind(store: string, manifest: ManifestDraft, kind: Pooling | 'rows' | 'samples') {
  if (kind === 'samples') return openMade({ store, manifest }).samples();
  if (kind !== 'rows') return matricesOf(openMade({ store, manifest }), kind, ['train', 'val']);
  const rows = [];
  for await (const row of setRows(store, manifest.sets[0]!)) rows.push(row);
  return rows;
}

function fileOf(manifest: ManifestDraft, kind: Pooling | 'rows' | 'samples'): string {
  return kind === 'samples' ? manifest.dataset.samples!.name : manifest.sets[0]!.shards[0]!.files[kind]!.name;
}

describe.each(['rows', 'samples', ...DEFAULT_POOLINGS] as const)('a damaged file of the kind %s', (kind) => {
  it('is refused with STORE_CORRUPT and its name, whatever bit is flipped', async () => {
    const { store, manifest } = await smallStore();
    const path = join(store, fileOf(manifest, kind));
    const whole = await readFile(path);
    // The check is one for all kinds: every byte of two of them, and a seventh of the others.
    const step = kind === 'rows' || kind === 'samples' ? 1 : 7;
    for (let at = 0; at < whole.length; at += step) {
      const damaged = Uint8Array.from(whole);
      damaged[at]! ^= 1 << (at % 8);
      await writeFile(path, damaged);
      await expect(readKind(store, manifest, kind)).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        message: textWith(path),
      });
    }
    await writeFile(path, whole);
    await expect(readKind(store, manifest, kind)).resolves.toBeDefined();
  });

  it('is refused where it is cut short, and where it is gone', async () => {
    const { store, manifest } = await smallStore();
    const path = join(store, fileOf(manifest, kind));
    await truncate(path, 100);
    await expect(readKind(store, manifest, kind)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await unlink(path);
    await expect(readKind(store, manifest, kind)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: textWith(path),
    });
  });
});

describe('a store of several shards and several sets', () => {
  const rows = Array.from({ length: 11 }, (_, i) =>
    storedRow(`${i}.jpg`, { split: (['train', 'train', 'val', 'test'] as const)[i % 4]! }),
  );
  const half = settingsWith();
  const single = settingsWith({ dtype: 'float32', cut: 'block4_pool' });

  it('gives each sample its own features, in the order of the samples, however they lie in shards', async () => {
    const store = join(temporaryFolder(), 'store');
    await fillStore(store, rows, { perShard: 3, settings: half });
    const { manifest, set } = await fillStore(store, [...rows].reverse(), { perShard: 4, settings: single });
    const samples = [...rows].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    await commitSamples({ store, manifest, set }, samples);
    for (const pooling of DEFAULT_POOLINGS) {
      const loaded = await matricesOf(openMade({ store, manifest }), pooling, ['train', 'val', 'test']);
      for (const [split, { X, samples: found }] of loaded) {
        const expected = samples.filter((sample) => sample.split === split);
        expect(found).toEqual(expected);
        expect(X).toEqual(featuresOf(expected).features.get(pooling));
      }
    }
    expect([...(await matricesOf(openMade({ store, manifest }), 'avg', ['val'])).keys()]).toEqual(['val']);
  });

  it('reads the set that the data set names, and never mixes it with another', async () => {
    const store = join(temporaryFolder(), 'store');
    // The same pictures under other settings have other features: here, all of them larger.
    const larger = featuresOf(rows);
    for (const { data } of larger.features.values()) for (const i of data.keys()) data[i]! += 1000;
    const { manifest, set } = await fillStore(store, rows, { perShard: 2, settings: half });
    const other = setFor(manifest, { settings: single, engine: ENGINE, widths: WIDTHS });
    const writer = featureWriter({ store: { path: store, manifest }, set: other, expectedRows: 11 });
    await writer.append(larger);
    await writer.seal();
    const smallest = async (): Promise<number> =>
      Math.min(...(await matricesOf(openMade({ store, manifest }), 'flatten', ['train'])).get('train')!.X.data);
    expect(await smallest()).toBeLessThan(100);
    await commitSamples({ store, manifest, set: other }, rows);
    expect(await smallest()).toBeGreaterThan(900);
    await commitSamples({ store, manifest, set }, rows);
    expect(await smallest()).toBeLessThan(100);
  });

  it('lists the rows of one set in the order of extraction', async () => {
    const store = join(temporaryFolder(), 'store');
    await fillStore(store, rows.slice(0, 4), { settings: single });
    const { set } = await fillStore(store, rows, { perShard: 4, settings: half });
    expect(set.shards.map((shard) => shard.rows)).toEqual([4, 4, 3]);
    const found = [];
    for await (const row of setRows(store, set)) found.push(row);
    expect(found).toEqual(rows.map((row) => without(row, 'label', 'split')));
  });

  it('says how many images lack features, instead of giving zeros', async () => {
    const store = join(temporaryFolder(), 'store');
    const { manifest, set } = await fillStore(store, rows.slice(0, 8), { perShard: 3 });
    await commitSamples({ store, manifest, set }, rows);
    await expect(openMade({ store, manifest }).rows({ parts: 'avg', memory: 'matrix' })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: textWith(/lacks the features of 3 images.*permafrost extract/),
    });
  });

  it('refuses a matrix beyond 4 GiB before it reads a shard, and says what to do', async () => {
    const store = join(temporaryFolder(), 'store');
    const { manifest, set } = await fillStore(store, rows);
    set.widths.flatten = 2 ** 28;
    await expect(matricesOf(openMade({ store, manifest }), 'flatten', ['train'])).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: textWith(/6 x 268435456 .* are 6\.0 GiB.*--pooling avg/),
    });
  });

  it('refuses a shard whose width is not that of its set', async () => {
    const store = join(temporaryFolder(), 'store');
    const { manifest, set } = await fillStore(store, rows);
    set.widths.max = WIDTHS.max + 1;
    await expect(matricesOf(openMade({ store, manifest }), 'max', ['train'])).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: textWith(/-max\.arrow has the width 6, not 7/),
    });
  });
});
