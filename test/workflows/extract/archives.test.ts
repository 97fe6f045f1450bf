import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import { imageTree } from '../../../src/extract/dataset/image-tree.ts';
import { RACY_MS } from '../../../src/store/format/file-times.ts';
import { check } from '../../../src/workflows/check/check.ts';
import type * as ExtractModule from '../../../src/workflows/extract/extract.ts';
import { built } from '../../support/built.ts';
import { openStore } from '../../../src/store/open.ts';
import { thumbnails } from '../../../src/workflows/report/thumbnails.ts';
import { livePictures } from '../../../src/studio/live/pictures.ts';
import { rejection } from '../../support/errors.ts';
import { parquetOf, type ParquetRow } from '../../support/parquet-files.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { tarOfFiles } from '../../support/tar-files.ts';

const { extract } = await built<typeof ExtractModule>('workflows/extract/extract.js');
const folder = temporaryFolders();
const options = { engine: 'onnxruntime', precision: 'fp32', cut: 'block1_pool:avg' } as const;
let images: Record<string, Buffer>;
let plain: string;

/** All files below a folder by path. */
async function filesIn(root: string): Promise<Record<string, Buffer>> {
  const tree = imageTree(root);
  const found = await tree.imagesBelow('', (await tree.list('')).folders);
  const paths = [...found.images.values()].flat();
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(root, path))] as const)),
  );
}

/** The digests of a store's files, but for what names a data set's place and times. */
function digestsOf(store: string): Record<string, string> {
  const varies = ['manifest.json', 'manifest-copy.json', 'file-times.safetensors'];
  const names = readdirSync(store).filter((name) => !varies.includes(name));
  const files = names.filter((name) =>
    readdirSync(store, { withFileTypes: true })
      .find((e) => e.name === name)!
      .isFile(),
  );
  return Object.fromEntries(files.map((name) => [name, sha256Hex(readFileSync(join(store, name)))]));
}

/** What a store lists, whatever the paths. */
const contents = async (path: string): Promise<string[]> =>
  Array.from(
    await (await openStore(path)).samples(),
    ({ sha256, label, split }) => `${sha256} ${label} ${split}`,
  ).sort();

beforeAll(async () => {
  const root = await stripedDataset(join(folder(), 'Stripes'), 4, 2);
  images = await filesIn(root);
  plain = join(folder(), 'plain');
  await extract(root, { ...options, store: plain });
});

describe('images in a tar archive', () => {
  it('give the very files that the same images in a folder give, and are not read again', async () => {
    const file = join(writeTree(folder(), { 'all.tar': tarOfFiles(images) }), 'all.tar');
    const store = join(folder(), 'store');
    await delay(RACY_MS + 100);
    expect(await extract(file, { ...options, store })).toMatchObject({ extracted: 12, unread: 0, failed: [] });
    expect(digestsOf(store)).toEqual(digestsOf(plain));
    expect(Object.keys(digestsOf(store)).some((name) => name.endsWith('.arrow'))).toBe(true);
    expect(await extract(file, { ...options, store })).toMatchObject({ extracted: 0, unread: 12 });
  });

  it('of WebDataset give the features of the same contents, by classes that stand beside them', async () => {
    const shards: Record<string, Record<string, string | Buffer>> = {};
    for (const [i, [path, bytes]] of Object.entries(images).entries()) {
      const [split, label] = path.split('/') as [string, string];
      const shard = (shards[`${split.toLowerCase()}-${i % 2}.tar`] ??= {});
      shard[`${i}.png`] = bytes;
      shard[`${i}.json`] = JSON.stringify({ label, width: 120 });
    }
    const root = writeTree(
      folder(),
      Object.fromEntries(Object.entries(shards).map(([name, files]) => [name, tarOfFiles(files)])),
    );
    const store = join(folder(), 'store');
    const made = await extract(root, { ...options, store });
    expect(made).toMatchObject({
      extracted: 12,
      failed: [],
      splits: { train: 8, val: 4 },
      classes: ['across', 'down'],
    });
    expect(await contents(store)).toEqual(await contents(plain));
  });

  it('and in Parquet files give the same too', async () => {
    const rows = (split: string): ParquetRow[] =>
      Object.entries(images).flatMap(([path, bytes]) =>
        path.startsWith(split) ? [{ bytes, path, label: path.includes('across') ? 0 : 1 }] : [],
      );
    const classes = { classes: ['across', 'down'], groupRows: 3 };
    const root = writeTree(folder(), {
      'train-00000-of-00001.parquet': parquetOf(rows('Train'), classes),
      'validation-00000-of-00001.parquet': parquetOf(rows('Val'), classes),
    });
    const store = join(folder(), 'store');
    await delay(RACY_MS + 100);
    expect(await extract(root, { ...options, store })).toMatchObject({ extracted: 12, failed: [] });
    expect(await contents(store)).toEqual(await contents(plain));
    expect(await extract(root, { ...options, store })).toMatchObject({ extracted: 0, unread: 12 });
  });

  it('may be named by a list, by their paths in the archive', async () => {
    const root = writeTree(folder(), {
      'in/s.tar': tarOfFiles(images),
      'list.csv': `path,label\n${Object.keys(images)
        .map((path) => `in/s.tar/${path},${path.split('/')[1]}`)
        .join('\n')}`,
    });
    const store = join(folder(), 'store');
    expect(await extract(join(root, 'list.csv'), { ...options, store })).toMatchObject({ extracted: 12, failed: [] });
    const lost = writeTree(folder(), { 'list.csv': 'path,label\nno.tar/a.png,a\nno.tar/b.png,b' });
    const { message } = await rejection(extract(join(lost, 'list.csv'), { ...options, store }), 'DATASET_NOT_FOUND');
    expect(message).toContain('None of 2 images that were asked for');
  });

  it('are shown by the report and the studio, and compared by check', async () => {
    const root = writeTree(folder(), { 's-0.tar': tarOfFiles(images) });
    const path = join(folder(), 'store');
    await extract(join(root, 's-{0..0}.tar'), { ...options, store: path });
    const store = await openStore(path);
    const samples = [...(await store.samples())];
    expect(samples[0]!.path).toMatch(/^s-0\.tar\/Train\/across\//);
    const shown = await thumbnails(store.manifest.dataset.root, samples, [0, 5, 11], 10, {});
    expect(shown).toMatchObject({ unavailable: 0, problem: null });
    expect(shown.data.size).toBe(3);
    const pictures = livePictures();
    const snapshot = { store, samples: { sample: (row: number) => samples[row]! } };
    const webp = await pictures.stored(snapshot as unknown as Parameters<typeof pictures.stored>[0], 3, 'thumbnail');
    expect(Buffer.from(webp.subarray(8, 12)).toString()).toBe('WEBP');
    await pictures.close();
    expect(await check(path)).toMatchObject({ images: 12, unread: 0 });
  });

  it('that are broken are failures, and the others are extracted', async () => {
    const [first] = Object.keys(images);
    const broken = { ...images, [first!]: images[first!]!.subarray(0, 100), 'Train/across/empty.png': Buffer.alloc(0) };
    const file = join(writeTree(folder(), { 'all.tar': tarOfFiles(broken) }), 'all.tar');
    const made = await extract(file, { ...options, store: join(folder(), 'store') });
    expect(made.extracted).toBe(11);
    expect(made.failed.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
      `${first} IMAGE_UNDECODABLE`,
      'Train/across/empty.png IMAGE_UNDECODABLE',
    ]);
  });
});
