import { appendFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { lockStore } from '../../../src/store/write/lock.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { check } from '../../../src/workflows/check/check.ts';
import { SKETCHES_NAME } from '../../../src/store/format/sketches-file.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { rejection } from '../../support/errors.ts';
import { makeOld, temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { openMade, matricesOf } from '../../support/stores.ts';

const folder = temporaryFolders();
let dataset: string;
let whole: string;

beforeAll(async () => {
  dataset = await stripedDataset(folder(), 3, 2);
  whole = join(folder(), 'whole.permafrost');
  // An early cut: the tests are about files, and its network takes a fifth of the time.
  await extract(dataset, { store: whole, cut: 'block2_pool', shardMegabytes: 1 });
});

function copyOf(store: string): string {
  const copy = join(folder(), 'copy.permafrost');
  cpSync(store, copy, { recursive: true });
  return copy;
}

function flip(path: string, at: number, bit: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1 << bit;
  writeFileSync(path, bytes);
}

/** Everything that a store answers with, as plain values. */
async function contentOf(store: string) {
  const manifest = await readManifest(store);
  const features = await matricesOf(openMade({ store, manifest }), 'flatten', ['train', 'val']);
  return {
    samples: await openMade({ store, manifest }).samples(),
    features: [...features].map(([split, { X }]) => [split, Buffer.from(X.data.buffer).toString('base64')]),
  };
}

const storeFiles = (store: string): string[] => readdirSync(store).filter((name) => name !== 'heads');

describe('verify', () => {
  it('finds nothing wrong with a store as it was written', async () => {
    const result = await verify(whole);
    expect(result).toMatchObject({ ok: true, damaged: [], orphans: [] });
    expect(result.files).toBe(storeFiles(whole).length);
  });

  it('finds and names a flipped bit, wherever in the store it is', async () => {
    const store = copyOf(whole);
    const generator = random(7);
    const names = storeFiles(store);
    expect(names.length).toBeGreaterThan(10); // several shards
    for (let round = 0; round < 60; round++) {
      const name = names[generator.below(names.length)]!;
      const path = join(store, name);
      const before = readFileSync(path);
      flip(path, generator.below(before.length), generator.below(8));
      const { ok, damaged } = await verify(store);
      expect({ ok, name: damaged[0]?.name, damaged: damaged.length }).toEqual({
        ok: false,
        name,
        damaged: 1,
      });
      writeFileSync(path, before);
    }
    expect((await verify(store)).ok).toBe(true);
  });

  it('names what is missing, and what a killed run left behind', async () => {
    const store = copyOf(whole);
    const gone = storeFiles(store).find((name) => name.endsWith('-avg.arrow'))!;
    rmSync(join(store, gone));
    writeFileSync(join(store, 'manifest.json.4711.tmp'), '{"half');
    makeOld(join(store, 'manifest.json.4711.tmp'));
    writeFileSync(join(store, 'notes of the user.txt'), 'none of our business');
    const { damaged, orphans } = await verify(store);
    expect(damaged.map(({ name }) => name)).toEqual([gone]);
    expect(damaged[0]!.rows).toBeGreaterThan(0);
    expect(orphans).toEqual(['manifest.json.4711.tmp']);
  });
});

describe('repair', () => {
  it('removes damaged sketches, which check makes again', async () => {
    const store = copyOf(whole);
    await check(store);
    const sketches = readFileSync(join(store, SKETCHES_NAME));
    expect((await verify(store)).ok).toBe(true);
    flip(join(store, SKETCHES_NAME), sketches.length - 100, 2);
    expect((await verify(store)).damaged.map(({ name }) => name)).toEqual([SKETCHES_NAME]);
    await expect(check(store)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(await repair(store)).toMatchObject({ lostRows: 0, extracted: 0, next: null });
    expect((await verify(store)).ok).toBe(true);
    await check(store);
    expect(readFileSync(join(store, SKETCHES_NAME)).equals(sketches)).toBe(true);
  });

  const kinds: readonly (readonly [string, RegExp])[] = [
    ['a map', /-flatten\.arrow$/],
    ['pooled features', /-max\.arrow$/],
    ['the list of rows', /-rows\.arrow$/],
  ];
  it.each(kinds)('extracts just the images of the shard again where %s is damaged', async (_what, pattern) => {
    const store = copyOf(whole);
    const name = storeFiles(store).find((file) => pattern.test(file))!;
    flip(join(store, name), 300, 3);
    const { damaged, lostRows, extracted, next } = await repair(store);
    expect(damaged.map((file) => file.name)).toEqual([name]);
    expect(lostRows).toBeGreaterThan(0);
    expect(lostRows).toBeLessThan(10);
    expect({ extracted, next }).toEqual({ extracted: lostRows, next: null });
    expect((await verify(store)).ok).toBe(true);
    expect(await contentOf(store)).toEqual(await contentOf(whole));
  });

  it('makes a lost or damaged manifest what it was, by its copy, also where the data set has gone', async () => {
    const manifest = readFileSync(join(whole, 'manifest.json'));
    const away = `${dataset}-away`;
    renameSync(dataset, away);
    for (const harm of ['flip', 'remove'] as const) {
      const store = copyOf(whole);
      const path = join(store, 'manifest.json');
      if (harm === 'flip') flip(path, 40, 1);
      else rmSync(path);
      expect(await repair(store)).toMatchObject({ extracted: 0, lostRows: 0 });
      expect(readFileSync(path).equals(manifest)).toBe(true);
      expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
      expect(await contentOf(store)).toEqual(await contentOf(whole));
    }
    renameSync(away, dataset);
  });

  it('makes a damaged copy of the manifest again', async () => {
    const store = copyOf(whole);
    flip(join(store, 'manifest-copy.json'), 40, 1);
    expect((await verify(store)).damaged.map(({ name }) => name)).toEqual(['manifest-copy.json']);
    expect(await repair(store)).toMatchObject({ extracted: 0, lostRows: 0, next: null });
    expect(storeFiles(store).map((name) => [name, readFileSync(join(store, name), 'latin1')])).toEqual(
      storeFiles(whole).map((name) => [name, readFileSync(join(whole, name), 'latin1')]),
    );
  });

  it('takes up the list of samples that is whole where manifest and copy are lost: labels and splits are what they were', async () => {
    const store = copyOf(whole);
    rmSync(join(store, 'manifest-copy.json')); // as stores of older versions
    flip(join(store, 'manifest.json'), 40, 1);
    expect(await repair(store)).toMatchObject({ extracted: 0, lostRows: 0, next: null });
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
    expect(await contentOf(store)).toEqual(await contentOf(whole));
    const [before, after] = await Promise.all([whole, store].map((one) => readManifest(one)));
    expect(after!.dataset).toEqual(before!.dataset);
  });

  it('makes a manifest anew where its list of samples is lost too, and the next extraction reuses everything', async () => {
    for (const harm of ['flip', 'remove'] as const) {
      const store = copyOf(whole);
      const path = join(store, 'manifest.json');
      rmSync(join(store, 'manifest-copy.json'));
      rmSync(
        join(
          store,
          storeFiles(store).find((name) => name.startsWith('samples-'))!,
        ),
      );
      if (harm === 'flip') flip(path, 40, 1);
      else rmSync(path);
      const { extracted, next } = await repair(store);
      expect(extracted).toBe(0);
      expect(next).toContain('permafrost extract');
      const again = await extract(dataset, { store, cut: 'block2_pool', shardMegabytes: 1 });
      expect(again).toMatchObject({ extracted: 0, reused: 10 });
      expect(await contentOf(store)).toEqual(await contentOf(whole));
    }
  });

  it('mends a damaged seal and extracts nothing', async () => {
    const store = copyOf(whole);
    const seal = storeFiles(store).find((name) => /-00001\.json$/.test(name))!;
    flip(join(store, seal), 100, 2);
    expect(await repair(store)).toMatchObject({ lostRows: 0, extracted: 0, next: null });
    expect((await verify(store)).ok).toBe(true);
  });

  it('never writes into a file that is there, and keeps what is intact where the images have moved', async () => {
    const store = copyOf(whole);
    const first = storeFiles(store).find((name) => name.endsWith('-00000-flatten.arrow'))!;
    flip(join(store, first), 300, 3);
    const away = `${dataset}-away`;
    renameSync(dataset, away);
    const { lostRows, extracted, next } = await repair(store);
    renameSync(away, dataset);
    expect(extracted).toBe(0);
    expect(next).toContain('not at');
    expect(await verify(store)).toMatchObject({ damaged: [], missing: [{ cut: 'block2_pool', images: lostRows }] });
    expect(await extract(dataset, { store, cut: 'block2_pool', shardMegabytes: 1 })).toMatchObject({
      extracted: lostRows,
      reused: 10 - lostRows,
    });
    expect(storeFiles(store)).not.toContain(first);
    expect(await contentOf(store)).toEqual(await contentOf(whole));
  });
});

describe('gc', () => {
  it('removes nothing that is needed', async () => {
    const store = copyOf(whole);
    expect(await gc(store)).toMatchObject({ droppedRows: 0, removedFiles: 0 });
    expect(storeFiles(store)).toEqual(storeFiles(whole));
  });

  it('drops the rows of images that are gone, other settings when asked, and tells before with --dry-run', async () => {
    const [store, images] = [copyOf(whole), folder()];
    cpSync(dataset, images, { recursive: true });
    rmSync(join(images, 'Train/across/0.png'));
    rmSync(join(images, 'Val/down/1.png'));
    const settings = { store, cut: 'block2_pool', shardMegabytes: 1 } as const;
    expect(await extract(images, settings)).toMatchObject({ extracted: 0, reused: 8 });
    await extract(images, { ...settings, cut: 'block1_pool' });
    await extract(images, settings);

    const before = await contentOf(store);
    const files = storeFiles(store);
    const plan = await gc(store, { otherSets: true, dryRun: true });
    expect(plan).toMatchObject({ dryRun: true, droppedRows: 2 + 8, droppedSets: 1 });
    expect(storeFiles(store)).toEqual(files);
    expect(await gc(store, { otherSets: true })).toMatchObject({
      droppedRows: 10,
      droppedSets: 1,
      removedBytes: plan.removedBytes,
    });
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
    expect(await contentOf(store)).toEqual(before);
    // The rows are gone for good: the full data set must extract them again.
    expect(await extract(dataset, settings)).toMatchObject({ extracted: 2, reused: 8 });
    expect(await contentOf(store)).toEqual(await contentOf(whole));
  });

  it('removes what a killed run left, and not what a user put there', async () => {
    const store = copyOf(whole);
    const shard = storeFiles(store).find((name) => name.endsWith('-rows.arrow'))!;
    writeFileSync(join(store, shard.replace(/\d{5}-rows/, '00099-rows')), 'half a shard');
    writeFileSync(join(store, 'notes.txt'), 'mine');
    expect(await gc(store)).toMatchObject({ removedFiles: 1 });
    expect(storeFiles(store)).toEqual([...storeFiles(whole), 'notes.txt'].sort());
  });

  it('writes what it keeps under a name that a killed run had begun with', async () => {
    const [store, images] = [copyOf(whole), folder()];
    cpSync(dataset, images, { recursive: true });
    rmSync(join(images, 'Train/across/0.png'));
    const settings = { store, cut: 'block2_pool', shardMegabytes: 1 } as const;
    await extract(images, settings);
    const before = await contentOf(store);
    // Half of the shard whose number is the next one.
    const last = storeFiles(store)
      .filter((name) => name.endsWith('-rows.arrow'))
      .at(-1)!;
    const number = Number(/(\d{5})-rows/.exec(last)![1]);
    const next = last.replace(/\d{5}-rows/, `${String(number + 1).padStart(5, '0')}-rows`);
    writeFileSync(join(store, next), 'half a shard');
    expect(await gc(store)).toMatchObject({ droppedRows: 1 });
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
    expect(await contentOf(store)).toEqual(before);
  });

  it('refuses a damaged store, a store that is being written to, and a folder that is none', async () => {
    const store = copyOf(whole);
    appendFileSync(
      join(
        store,
        storeFiles(store).find((name) => name.endsWith('.arrow'))!,
      ),
      'x',
    );
    await rejection(gc(store), 'STORE_CORRUPT');
    const lock = await lockStore(store, 'test');
    await rejection(gc(store), 'STORE_LOCKED');
    await rejection(extract(dataset, { store }), 'STORE_LOCKED');
    await lock.release();
    const empty = folder();
    await rejection(gc(empty), 'STORE_NOT_FOUND');
    expect(readdirSync(empty)).toEqual([]);
  });
});
