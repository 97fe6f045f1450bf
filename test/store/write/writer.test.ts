import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POOLINGS, type FeatureBatch } from '../../../src/core/sample.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import type { StoredSample } from '../../../src/store/format/shard.ts';
import { commitDataset, openForWriting, setFor } from '../../../src/store/write/store.ts';
import { verifyStore } from '../../../src/store/care/verify.ts';
import { DEFAULT_SHARD_BYTES, MAX_SHARD_BYTES } from '../../../src/store/write/shard-rows.ts';
import { featureWriter } from '../../../src/store/write/writer.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { ENGINE, featuresOf, settingsWith, WIDTHS } from '../../support/stored-rows.ts';
import { contentOf, filesOf, named, opened, sealed, whole } from '../../support/stores.ts';

const folder = temporaryFolders();
const newStore = (): string => join(folder(), 'store');

/** Every file of the store but its manifest, with its bytes. */
const shardsIn = (store: string): Record<string, string> =>
  Object.fromEntries(Object.entries(filesOf(store)).filter(([name]) => name !== 'manifest.json'));

/** A batch like featuresOf, with `value` somewhere in the map of row `at`. */
function withValue(rows: readonly StoredSample[], at: number, value: number): FeatureBatch {
  const batch = featuresOf(rows);
  batch.features.get('flatten')!.data[at * WIDTHS.flatten + 5] = value;
  return batch;
}

describe('a writer', () => {
  it('seals a shard when it is full, within a batch too, and what is left on request', async () => {
    const { store, writer } = await opened(newStore(), 3);
    await writer.append(featuresOf(named(2)));
    expect(await sealed(store)).toEqual([]);
    expect(readdirSync(store)).toEqual(['manifest.json']);
    await writer.append(featuresOf(named(5, 2)));
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg', '2.jpg'],
      ['3.jpg', '4.jpg', '5.jpg'],
    ]);
    await writer.seal();
    await writer.seal();
    expect((await sealed(store))[2]).toEqual(['6.jpg']);
    expect(await sealed(store)).toHaveLength(3);
    const names = readdirSync(store).filter((name) => name.endsWith('.arrow'));
    expect(names).toHaveLength(12);
    for (const name of names)
      expect(name).toMatch(/^block5_pool-[0-9a-f]{16}-0000[012]-(rows|flatten|avg|max)\.arrow$/);
  });

  it('ends a shard where it is told to, and makes none without rows', async () => {
    const { store, writer } = await opened(newStore(), 3);
    await writer.endShard();
    await writer.append(featuresOf(named(2)));
    await writer.endShard();
    await writer.endShard();
    await writer.append(featuresOf(named(4, 2)));
    await writer.seal();
    expect(await sealed(store)).toEqual([['0.jpg', '1.jpg'], ['2.jpg', '3.jpg', '4.jpg'], ['5.jpg']]);
  });

  it('changes no byte of a sealed shard, whatever comes after it', async () => {
    const { store, writer } = await opened(newStore(), 2);
    await writer.append(featuresOf(named(4)));
    const before = shardsIn(store);
    expect(Object.keys(before)).toHaveLength(10); // four Arrow files and a seal for each of two shards
    await writer.append(featuresOf(named(3, 4)));
    await writer.seal();
    const again = await opened(store, 5);
    await again.writer.append(featuresOf(named(7, 7)));
    await again.writer.seal();
    const after = filesOf(store);
    expect(Object.fromEntries(Object.keys(before).map((name) => [name, after[name]]))).toEqual(before);
    expect((await sealed(store)).map((shard) => shard.length)).toEqual([2, 2, 2, 1, 5, 2]);
  });

  it('writes the same bytes however its rows come in batches', async () => {
    const rows = named(10);
    const stores = [];
    for (const batches of [[10], [3, 3, 3, 1], [1, 1, 1, 1, 6]]) {
      const { store, writer } = await opened(newStore(), 4);
      let from = 0;
      for (const size of batches) await writer.append(featuresOf(rows.slice(from, (from += size))));
      await writer.seal();
      stores.push(filesOf(store));
    }
    expect(stores[1]).toEqual(stores[0]);
    expect(stores[2]).toEqual(stores[0]);
  });

  it('gives back what it was given: pooled features to the bit, maps as float16', async () => {
    const rows = named(9);
    const { store, manifest, set, writer } = await opened(newStore(), 4);
    const given = featuresOf(rows);
    await writer.append(given);
    await writer.seal();
    await commitDataset({ path: store, manifest }, { root: '/', sets: whole(set), samples: rows, failures: [] });
    const { features } = await contentOf(store, ['train']);
    for (const pooling of DEFAULT_POOLINGS) {
      const { data, cols } = given.features.get(pooling)!;
      for (const [i, { path }] of rows.entries()) {
        const expected = data.subarray(i * cols, (i + 1) * cols);
        features[pooling][path]!.forEach((value, j) => {
          // float16 keeps 11 bits: half a unit in the last place is 2^-11 of the value.
          if (pooling === 'flatten')
            expect(Math.abs(value - expected[j]!)).toBeLessThanOrEqual(Math.abs(expected[j]!) * 2 ** -11 + 2 ** -25);
          else expect(value).toBe(expected[j]);
        });
      }
    }
  });

  it('does not write the manifest anew for each shard of many, and a killed one has lost none of them', async () => {
    const { store, writer } = await opened(newStore(), 1);
    const listed: number[] = [];
    for (let i = 0; i < 60; i++) {
      await writer.append(featuresOf(named(1, i)));
      const shards = (await readManifest(store)).sets[0]!.shards.length;
      if (shards !== listed.at(-1)) listed.push(shards);
    }
    // Every one of the first eight, then when an eighth of all is not named.
    expect(listed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 19, 22, 26, 30, 35, 40, 46, 53]);
    const again = await opened(store, 1);
    expect(again.set.shards).toHaveLength(60);
    await again.writer.append(featuresOf(named(1, 60)));
    await again.writer.seal();
    expect((await sealed(store)).flat()).toEqual(named(61).map(({ path }) => path));
    expect(await verifyStore(store, '0.0.0')).toMatchObject({ damaged: [], orphans: [] });
  });

  it('that was killed leaves no shard to be taken up of which a file is gone or cut short', async () => {
    const { store, writer } = await opened(newStore(), 1);
    for (let i = 0; i < 60; i++) await writer.append(featuresOf(named(1, i)));
    const names = readdirSync(store);
    const [gone, cut] = ['00059-avg.arrow', '00058-max.arrow'].map((end) =>
      names.find((name) => name.endsWith(end))!,
    ) as [string, string];
    rmSync(join(store, gone));
    truncateSync(join(store, cut), 100);
    const { set } = await opened(store, 1);
    expect(set.shards).toHaveLength(58);
    expect(readdirSync(store).filter((name) => /0005[89]/.test(name))).toEqual([]);
  });

  it('makes a shard of one row where a single map is larger than a shard should be', async () => {
    const { store, writer } = await opened(newStore(), 0.5);
    await writer.append(featuresOf(named(3)));
    expect((await sealed(store)).map((shard) => shard.length)).toEqual([1, 1, 1]);
  });

  it('fills shards of 64 MiB by default, 256 MiB at most, and has buffers for no more rows than are expected', async () => {
    expect([DEFAULT_SHARD_BYTES, MAX_SHARD_BYTES]).toEqual([64 * 2 ** 20, 256 * 2 ** 20]);
    const { store, writer } = await opened(newStore(), 1000, 2);
    await writer.append(featuresOf(named(5))); // more than were expected
    expect((await sealed(store)).map((shard) => shard.length)).toEqual([2, 2]);
  });
});

describe('a feature that float16 cannot hold', () => {
  it('ends with FEATURE_OVERFLOW, the path and the way out; sealed shards and good rows before it are kept', async () => {
    const { store, writer } = await opened(newStore(), 3);
    await writer.append(featuresOf(named(4)));
    const before = shardsIn(store);
    const { message } = await rejection(writer.append(withValue(named(4, 4), 1, 65520)), 'FEATURE_OVERFLOW');
    expect(message).toBe(
      'Features of 5.jpg at block5_pool exceed 65504, the largest float16. Extract with --dtype float32.',
    );
    await writer.seal();
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg', '2.jpg'],
      ['3.jpg', '4.jpg'],
    ]);
    expect(filesOf(store)).toMatchObject(before);
  });

  it('is 65520 and more; 65519 is rounded down to the largest', async () => {
    const { writer } = await opened(newStore(), 10);
    await writer.append(withValue(named(1), 0, 65519));
    await writer.append(withValue(named(1, 1), 0, -65519));
    await rejection(writer.append(withValue(named(1, 2), 0, -65520)), 'FEATURE_OVERFLOW');
  });

  it('is stored as it is in a store of float32', async () => {
    const store = join(folder(), 'store');
    const { manifest } = await openForWriting(store, '0.0.0');
    const set = setFor(manifest, { settings: settingsWith({ dtype: 'float32' }), engine: ENGINE, widths: WIDTHS });
    const rows = named(2);
    const writer = featureWriter({ store: { path: store, manifest }, set, expectedRows: 2 });
    await writer.append(withValue(rows, 1, 1e30));
    await writer.seal();
    await commitDataset({ path: store, manifest }, { root: '/', sets: whole(set), samples: rows, failures: [] });
    const { features } = await contentOf(store, ['train']);
    expect(features.flatten['1.jpg']![5]).toBe(Math.fround(1e30));
  });
});
