import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { POOLINGS, type FeatureBatch } from '../../src/core/sample.ts';
import { readManifest, type Manifest } from '../../src/store/manifest.ts';
import { setRows } from '../../src/store/reader.ts';
import type { StoredSample } from '../../src/store/shard.ts';
import { commitDataset, openForWriting, setFor } from '../../src/store/store.ts';
import {
  DEFAULT_SHARD_BYTES,
  featureWriter,
  MAX_SHARD_BYTES,
  type FeatureWriter,
} from '../../src/store/writer.ts';
import { rejection } from '../support/errors.ts';
import { temporaryFolders } from '../support/folders.ts';
import { ENGINE, featuresOf, settingsWith, storedRow, WIDTHS } from '../support/stored-rows.ts';
import { contentOf, filesOf, shardBytesFor } from '../support/stores.ts';

const folder = temporaryFolders();

const named = (count: number, from = 0): StoredSample[] =>
  Array.from({ length: count }, (_, i) => storedRow(`${from + i}.jpg`));

interface Opened {
  readonly store: string;
  readonly manifest: Manifest;
  readonly set: Manifest['sets'][number];
  readonly writer: FeatureWriter;
}

/** A writer with `perShard` rows a shard into a new store. */
async function opened(
  perShard: number,
  { store = join(folder(), 'store'), expectedRows = 1000 } = {},
): Promise<Opened> {
  const manifest = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, settingsWith(), ENGINE, WIDTHS);
  const shardBytes = shardBytesFor(perShard);
  return { store, manifest, set, writer: featureWriter({ store, manifest, set, expectedRows, shardBytes }) };
}

/** Paths of the rows that the store on disk names, shard by shard. */
async function sealed(store: string): Promise<string[][]> {
  const set = (await readManifest(store)).sets[0];
  if (set === undefined) return [];
  const shards: string[][] = [];
  for (const shard of set.shards) {
    const paths: string[] = [];
    for await (const { path } of setRows(store, { ...set, shards: [shard] })) paths.push(path);
    shards.push(paths);
  }
  return shards;
}

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
    const { store, writer } = await opened(3);
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

  it('changes no byte of a sealed shard, whatever comes after it', async () => {
    const { store, writer } = await opened(2);
    await writer.append(featuresOf(named(4)));
    const before = shardsIn(store);
    expect(Object.keys(before)).toHaveLength(8);
    await writer.append(featuresOf(named(3, 4)));
    await writer.seal();
    const again = await opened(5, { store });
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
      const { store, writer } = await opened(4);
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
    const { store, manifest, set, writer } = await opened(4);
    const given = featuresOf(rows);
    await writer.append(given);
    await writer.seal();
    await commitDataset(store, manifest, { root: '/', set, samples: rows, failures: [] });
    const { features } = await contentOf(store, ['train']);
    for (const pooling of POOLINGS) {
      const { data, cols } = given.features.get(pooling)!;
      for (const [i, { path }] of rows.entries()) {
        const expected = data.subarray(i * cols, (i + 1) * cols);
        features[pooling][path]!.forEach((value, j) => {
          // float16 keeps 11 bits: half a unit in the last place is 2^-11 of the value.
          if (pooling === 'flatten')
            expect(Math.abs(value - expected[j]!)).toBeLessThanOrEqual(
              Math.abs(expected[j]!) * 2 ** -11 + 2 ** -25,
            );
          else expect(value).toBe(expected[j]);
        });
      }
    }
  });

  it('makes a shard of one row where a single map is larger than a shard should be', async () => {
    const { store, writer } = await opened(0.5);
    await writer.append(featuresOf(named(3)));
    expect((await sealed(store)).map((shard) => shard.length)).toEqual([1, 1, 1]);
  });

  it('fills shards of 64 MiB by default, 256 MiB at most, and has buffers for no more rows than are expected', async () => {
    expect([DEFAULT_SHARD_BYTES, MAX_SHARD_BYTES]).toEqual([64 * 2 ** 20, 256 * 2 ** 20]);
    const { store, writer } = await opened(1000, { expectedRows: 2 });
    await writer.append(featuresOf(named(5))); // more than were expected
    expect((await sealed(store)).map((shard) => shard.length)).toEqual([2, 2]);
  });
});

describe('a feature that float16 cannot hold', () => {
  it('ends with FEATURE_OVERFLOW, the path and the way out; sealed shards and good rows before it are kept', async () => {
    const { store, writer } = await opened(3);
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
    const { writer } = await opened(10);
    await writer.append(withValue(named(1), 0, 65519));
    await writer.append(withValue(named(1, 1), 0, -65519));
    await rejection(writer.append(withValue(named(1, 2), 0, -65520)), 'FEATURE_OVERFLOW');
  });

  it('is stored as it is in a store of float32', async () => {
    const store = join(folder(), 'store');
    const manifest = await openForWriting(store, '0.0.0');
    const set = setFor(manifest, settingsWith({ dtype: 'float32' }), ENGINE, WIDTHS);
    const rows = named(2);
    const writer = featureWriter({ store, manifest, set, expectedRows: 2 });
    await writer.append(withValue(rows, 1, 1e30));
    await writer.seal();
    await commitDataset(store, manifest, { root: '/', set, samples: rows, failures: [] });
    const { features } = await contentOf(store, ['train']);
    expect(features.flatten['1.jpg']![5]).toBe(Math.fround(1e30));
  });
});

/** A mount point with a file system of 1 MiB, or why there is none. */
function smallDisk(): { readonly path: string } | { readonly why: string } {
  const path = folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'pipe' });
    return { path };
  } catch (error) {
    return { why: (error as Error).message.split('\n')[0]! };
  }
}

const disk = process.platform === 'linux' ? smallDisk() : { why: 'tmpfs is of Linux' };
const full = 'path' in disk;
afterAll(() => {
  if ('path' in disk) execFileSync('umount', [disk.path]);
});

describe.skipIf(!full)(
  full ? 'a full disk' : `a full disk [skipped: no small file system: ${disk.why}]`,
  () => {
    it('ends with STORE_WRITE; what is sealed is whole, no half file stays, and the same writer goes on when there is room', async () => {
      const mount = (disk as { path: string }).path;
      const store = join(mount, 'store');
      const { writer } = await opened(2, { store });
      await writer.append(featuresOf(named(5)));
      const before = filesOf(store);
      // Some kilobytes are left: the shard's first files fit, not all of them.
      const ballast = join(mount, 'ballast');
      fillUp(ballast, 6 * 1024);
      const { message } = await rejection(writer.append(featuresOf(named(1, 5))), 'STORE_WRITE');
      expect(message).toMatch(/could not be written: ENOSPC.*What was sealed before is safe; make room/);
      expect(await sealed(store)).toEqual([
        ['0.jpg', '1.jpg'],
        ['2.jpg', '3.jpg'],
      ]);
      const after = filesOf(store);
      expect(after).toMatchObject(before);
      expect(Object.keys(after).filter((name) => name.endsWith('.tmp'))).toEqual([]);

      await rejection(writer.append(featuresOf(named(1, 6))), 'STORE_WRITE'); // still full, nothing lost or doubled
      rmSync(ballast);
      await writer.append(featuresOf(named(1, 6)));
      await writer.seal();
      expect(await sealed(store)).toEqual([
        ['0.jpg', '1.jpg'],
        ['2.jpg', '3.jpg'],
        ['4.jpg', '5.jpg'],
        ['6.jpg'],
      ]);
    });
  },
);

describe.skipIf(!full)(full ? 'a read-only disk' : 'a read-only disk [skipped as above]', () => {
  it('gives STORE_WRITE wherever something is to be written, and stays readable', async () => {
    const mount = (disk as { path: string }).path;
    const store = join(mount, 'read-only');
    const { manifest, set, writer } = await opened(2, { store });
    await writer.append(featuresOf(named(3)));
    const before = filesOf(store);
    execFileSync('mount', ['-o', 'remount,ro', mount]);
    try {
      const { message } = await rejection(writer.seal(), 'STORE_WRITE');
      expect(message).toMatch(/could not be written: EROFS/);
      const samples = named(3);
      const work = commitDataset(store, manifest, { root: '/', set, samples, failures: [] });
      await rejection(work, 'STORE_WRITE');
      await rejection(openForWriting(join(mount, 'new'), '0.0.0'), 'STORE_WRITE');
      expect(await sealed(store)).toEqual([['0.jpg', '1.jpg']]);
      expect(filesOf(store)).toEqual(before);
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', mount]);
    }
  });
});

/** Fills the disk under `path` but for `rest` bytes. */
function fillUp(path: string, rest: number): void {
  const free = Number(
    execFileSync('df', ['--output=avail', '-B1', join(path, '..')], { encoding: 'utf8' }).split('\n')[1],
  );
  writeFileSync(path, Buffer.alloc(free - rest));
}

describe('a folder that cannot be written to', () => {
  it('ends with STORE_WRITE and leaves the manifest on disk and in memory as it was', async () => {
    const { store, manifest, set, writer } = await opened(2);
    await writer.append(featuresOf(named(2)));
    const before = filesOf(store);
    const inMemory = structuredClone(manifest);
    // A folder in the place of the file to be written refuses root too.
    const obstacle = join(store, `block5_pool-${set.fingerprint}-00001-avg.arrow`);
    mkdirSync(join(obstacle, 'inside'), { recursive: true });
    const { message } = await rejection(writer.append(featuresOf(named(2, 2))), 'STORE_WRITE');
    expect(message).toContain(`${obstacle} could not be written: `);
    expect(manifest).toEqual(inMemory);
    expect(filesOf(store)).toMatchObject(before);
    rmSync(obstacle, { recursive: true });
    await writer.seal();
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg'],
      ['2.jpg', '3.jpg'],
    ]);
  });

  it('does not double a shard whose manifest could not be replaced', async () => {
    const { store, manifest, writer } = await opened(2);
    await writer.append(featuresOf(named(2)));
    // The manifest alone cannot be written: a folder stands where its temporary file goes.
    const obstacle = join(store, `manifest.json.${process.pid}.tmp`);
    mkdirSync(join(obstacle, 'inside'), { recursive: true });
    const { message } = await rejection(writer.append(featuresOf(named(2, 2))), 'STORE_WRITE');
    expect(message).toMatch(/manifest\.json could not be written: EISDIR.*\.tmp is left over: /);
    expect(manifest.sets[0]!.shards).toHaveLength(1);
    rmSync(obstacle, { recursive: true, force: true });
    await writer.seal();
    expect(await sealed(store)).toEqual([
      ['0.jpg', '1.jpg'],
      ['2.jpg', '3.jpg'],
    ]);
  });
});
