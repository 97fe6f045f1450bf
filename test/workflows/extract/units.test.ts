import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Sample } from '../../../src/core/sample.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { unitRows } from '../../../src/store/write/shard-rows.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import type { ExtractOptions } from '../../../src/workflows/extract/options.ts';
import { pickSamples, positionsWithFailures, unitOf } from '../../../src/extract/dataset/units.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset } from '../../support/noise-dataset.ts';

const folder = temporaryFolders();
const UNIT = 6;
const COUNT = 18;
/** Maps of block1_pool have 1.6 MB an image: six of them fill a shard of 10 MiB. */
const options = {
  engine: 'onnxruntime',
  precision: 'fp32',
  batch: 4,
  cut: 'block1_pool:flatten+avg,block2_pool:max',
  shardMegabytes: 10,
  views: 1,
  horizontalFlip: true,
} as const satisfies Partial<ExtractOptions>;

const pathOf = (i: number): string => `p${String(i).padStart(2, '0')}.png`;
const numbers = Array.from({ length: COUNT }, (_, i) => i);

/** A list of some of the images of a folder: two classes; the last two of each unit are to validate on. */
function listOf(root: string, name: string, some: readonly number[]): string {
  const lines = some.map((i) => [pathOf(i), 'ab'[i % 2], i % UNIT < 4 ? 'train' : 'val'].join());
  const file = join(root, name);
  writeFileSync(file, `${['path,label,split', ...lines].join('\n')}\n`);
  return file;
}

/** Rows of each shard, a line a set: the images themselves, then their views. */
async function shardRows(store: string): Promise<Record<string, number[]>> {
  const { sets } = await readManifest(store);
  return Object.fromEntries(
    sets.map(({ settings, shards }) => [
      `${settings.cut} ${settings.view?.number ?? 0}`,
      shards.map(({ rows }) => rows),
    ]),
  );
}

/** Digests of the Arrow files of every set's shard at this place, by their names without the number. */
async function shardBytes(store: string, at: number): Promise<Record<string, string>> {
  const { sets } = await readManifest(store);
  const files = sets.flatMap(({ shards }) => Object.values(shards.at(at)!.files).map(({ name }) => name));
  expect(files).toHaveLength(10);
  return Object.fromEntries(
    files.map((name) => [
      name.replace(/-\d{5}-/, '-'),
      createHash('sha256')
        .update(readFileSync(join(store, name)))
        .digest('hex'),
    ]),
  );
}

/** The same images, one of which is a copy of another and one of which is none. */
let clean: { root: string; store: string };
let dirty: { root: string; store: string };

beforeAll(async () => {
  const made = async (name: string, spoil: (root: string) => void) => {
    const root = join(folder(), 'Pictures');
    await noiseDataset(root, Object.fromEntries(numbers.map((i) => [pathOf(i), i + 1])));
    spoil(root);
    const store = join(root, '..', `${name}.permafrost`);
    await extract(listOf(root, 'all.csv', numbers), { ...options, store });
    return { root, store };
  };
  clean = await made('clean', () => undefined);
  dirty = await made('dirty', (root) => {
    copyFileSync(join(root, pathOf(0)), join(root, pathOf(1)));
    writeFileSync(join(root, pathOf(8)), 'no picture');
  });
});

describe('shards end where units of the listing end', () => {
  it('in every set of the pass and in views, whose units are those of the whole listing', async () => {
    expect(await shardRows(clean.store)).toEqual({
      'block2_pool 0': [6, 6, 6],
      'block1_pool 0': [6, 6, 6],
      'block2_pool 1': [4, 4, 4],
      'block1_pool 1': [4, 4, 4],
    });
  });

  it('so a copy and a broken file move no border behind them: shards of the units behind have the same bytes', async () => {
    expect(await shardRows(dirty.store)).toEqual({
      'block2_pool 0': [5, 5, 6],
      'block1_pool 0': [5, 5, 6],
      'block2_pool 1': [3, 3, 4],
      'block1_pool 1': [3, 3, 4],
    });
    expect(await shardBytes(dirty.store, 2)).toEqual(await shardBytes(clean.store, 2));
    expect(await shardBytes(dirty.store, 1)).not.toEqual(await shardBytes(clean.store, 1));
  });

  it('and units that are extracted apart have the bytes of one run', async () => {
    const { root, store } = dirty;
    for (const unit of [2, 0, 1]) {
      const some = numbers.slice(unit * UNIT, (unit + 1) * UNIT);
      const part = join(root, '..', `part${unit}.permafrost`);
      await extract(listOf(root, `part${unit}.csv`, some), { ...options, store: part });
      expect(await shardBytes(part, 0)).toEqual(await shardBytes(store, unit));
      expect(Object.values(await shardRows(part)).every((shards) => shards.length === 1)).toBe(true);
    }
  });

  it('also where a run was interrupted within one: the next run ends it, in the bytes of one run', async () => {
    const { root } = clean;
    const store = join(folder(), 'interrupted.permafrost');
    const controller = new AbortController();
    const given = { ...options, store, batch: 2 };
    const listener = { progress: ({ done }: { done: number }) => done > 0 && controller.abort() };
    const list = listOf(root, 'all.csv', numbers);
    await rejection(extract(list, given, { signal: controller.signal, listener }), 'INTERRUPTED');
    expect(await shardRows(store)).not.toHaveProperty('block1_pool 0');
    const { reused } = await extract(list, { ...options, store });
    expect(reused).toBe(4);
    expect(await shardRows(store)).toEqual(await shardRows(clean.store));
    for (const unit of [0, 1, 2]) expect(await shardBytes(store, unit)).toEqual(await shardBytes(clean.store, unit));
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('until gc gathers in full shards what is left of those that lost rows', async () => {
    const { root } = clean;
    const store = join(folder(), 'gathered.permafrost');
    await extract(listOf(root, 'all.csv', numbers), { ...options, store, views: 0 });
    const some = numbers.filter((i) => i % UNIT !== 0);
    await extract(listOf(root, 'some.csv', some), { ...options, store, views: 0 });
    await gc(store);
    expect(await shardRows(store)).toEqual({ 'block2_pool 0': [15], 'block1_pool 0': [15] });
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });
});

describe('units of a listing', () => {
  const samples = numbers.map((i): Sample => ({ path: pathOf(i), label: 'a', split: 'train' }));

  it('are cut of all of its positions, whichever samples are left', () => {
    const { samples: some, units } = pickSamples(samples, { size: 5 }, ({ path }) => path >= pathOf(4));
    expect(some.map((_, i) => unitOf(units)(i)).join('')).toBe('01111122222333');
    const fewer = pickSamples(some, units, ({ path }) => path >= pathOf(9));
    expect(fewer.samples.map((_, i) => unitOf(fewer.units)(i)).join('')).toBe('122222333');
  });

  it('count those that failed, which a stored list has not', () => {
    const stored = samples.filter((_, i) => ![0, 3, 4, 17].includes(i));
    const failed = [17, 4, 0, 3].map((i) => ({ path: pathOf(i) }));
    expect([...positionsWithFailures(stored, failed)]).toEqual(numbers.filter((i) => ![0, 3, 4, 17].includes(i)));
  });

  it('hold as many images as fill the shard that is full first', () => {
    const widths = { flatten: 7 * 7 * 512, avg: 512, max: 512 };
    const settings = { dtype: 'float16' } as const;
    const maps = { settings, widths, poolings: ['flatten', 'avg', 'max'] } as const;
    const pooled = { settings, widths, poolings: ['avg'] } as const;
    expect(unitRows([maps])).toBe(1337);
    expect(unitRows([{ ...maps, settings: { dtype: 'float32' } }])).toBe(668);
    expect(unitRows([pooled])).toBe(2048);
    expect(unitRows([pooled, maps, { ...maps, poolings: [] }])).toBe(1337);
    expect(unitRows([maps, pooled], 2 ** 20)).toBe(20);
    expect(unitRows([maps], 1)).toBe(1);
  });
});
