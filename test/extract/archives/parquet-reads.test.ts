import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as ParquetFileModule from '../../../src/extract/archives/parquet-file.ts';
import type * as ParquetRowsModule from '../../../src/extract/archives/parquet-rows.ts';
import { built } from '../../support/built.ts';
import { rejection } from '../../support/errors.ts';
import { permafrost } from '../../support/command.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { parquetOf } from '../../support/parquet-files.ts';
import { bytesFile } from '../../support/tar-files.ts';
import { sha256Hex } from '../../../src/core/digest.ts';
import { random } from '../../../src/core/random.ts';

const { imagesInGroup, openParquet, rowFacts } = await built<typeof ParquetFileModule>(
  'extract/archives/parquet-file.js',
);
const { parquetRows, rowIn, rowPath } = await built<typeof ParquetRowsModule>('extract/archives/parquet-rows.js');

const folder = temporaryFolders();

/** A file of five groups of four images, of 50,000 bytes that cannot be packed. */
function largeFile() {
  const source = random(1);
  const bytes = (): Uint8Array => Uint8Array.from({ length: 50_000 }, () => source.below(256));
  const rows = Array.from({ length: 20 }, (_, i) => ({ bytes: bytes(), label: i % 2, path: `${i}.jpg` }));
  return { rows, file: bytesFile(parquetOf(rows, { groupRows: 4 }), 'x.parquet') };
}

it('what rows say is read without a byte of their images', async () => {
  const { rows, file } = largeFile();
  const parquet = await openParquet(file);
  // What stands at the end is read in one piece, and may reach into the last images.
  file.counts.bytes = 0;
  expect(await rowFacts(file, parquet)).toEqual(
    rows.map(({ label, path }) => ({ label, name: path, split: undefined })),
  );
  expect(file.counts.bytes).toBeLessThan(10_000);
});

it('images in the order of rows are read once: a group at a time', async () => {
  const { rows, file } = largeFile();
  const images = parquetRows();
  await images.image(file, 0);
  file.counts.bytes = 0;
  for (const [i, { bytes }] of rows.entries()) expect((await images.image(file, i)).equals(bytes)).toBe(true);
  // The first group is there already.
  expect(file.counts.bytes).toBeGreaterThan(16 * 50_000);
  expect(file.counts.bytes).toBeLessThan(17 * 50_000);
  images.clear();
});

it('a row is named so that paths sort as rows do, and is found by that name', () => {
  expect(rowPath(17, 100, 'a/b/cat.jpg')).toBe('000017/cat.jpg');
  expect(rowPath(17, 20_000_000, undefined)).toBe('00000017');
  for (const name of ['..', '.', '', 'a/', 'nul\0.jpg']) expect(rowPath(1, 2, name)).toBe('000001');
  expect([rowIn('000017/cat.jpg'), rowIn('00000017'), rowIn('x'), rowIn('12x')]).toEqual([17, 17, NaN, NaN]);
});

describe('a process that reads', () => {
  it('is ended where it takes too long, and the next one reads', async () => {
    // To send this alone takes longer than the time that is left: no answer is there before.
    const file = bytesFile(parquetOf([{ bytes: Buffer.alloc(64 * 2 ** 20, 'image'), label: 0 }]), 'x.parquet');
    const parquet = await openParquet(file);
    const [group] = parquet.groups;
    const { message } = await rejection(imagesInGroup(file, parquet, group!, { mostMs: 0 }), 'ARCHIVE_CORRUPT');
    expect(message).toContain('x.parquet cannot be read as Parquet: its reader had not ended after 0 s');
    const { file: next, rows } = largeFile();
    const opened = await openParquet(next);
    const images = await imagesInGroup(next, opened, opened.groups[0]!);
    expect(images.map((image) => Buffer.from(image!).equals(rows[0]!.bytes))).toEqual([true, false, false, false]);
  });

  it('is ended where it takes too much memory', async () => {
    const bytes = Buffer.alloc(300 * 2 ** 20);
    const file = bytesFile(parquetOf([{ bytes, label: 0 }]), 'x.parquet');
    const parquet = await openParquet(file);
    const work = imagesInGroup(file, parquet, parquet.groups[0]!, { mostBytes: 2 ** 27 });
    expect((await rejection(work, 'ARCHIVE_CORRUPT')).message).toContain('takes more than 0.1 GiB of memory');
  });

  it('carries more than fits into a message of its channel', async () => {
    const bytes = Buffer.alloc(70 * 2 ** 20, 'image');
    const file = bytesFile(
      parquetOf([
        { bytes, label: 0 },
        { bytes: 'x', label: 1 },
      ]),
      'x.parquet',
    );
    const parquet = await openParquet(file);
    const [first, second] = await imagesInGroup(file, parquet, parquet.groups[0]!);
    expect(sha256Hex(first!)).toBe(sha256Hex(bytes));
    expect(Buffer.from(second!).toString()).toBe('x');
  });
});

describe('a file that is damaged', () => {
  it('is told of each image in it, and read once', async () => {
    const { file } = largeFile();
    const parquet = await openParquet(file);
    const { row_groups: groups } = parquet.metadata;
    const at = Number(groups[0]!.columns[0]!.meta_data!.data_page_offset);
    const damaged = bytesFile(
      Buffer.from(await file.read(0, Number(file.stamp.size))).fill(0xff, at, at + 40),
      'x.parquet',
    );
    const images = parquetRows();
    await rejection(images.image(damaged, 0), 'ARCHIVE_CORRUPT');
    damaged.counts.bytes = 0;
    for (const row of [1, 2, 3]) await rejection(images.image(damaged, row), 'ARCHIVE_CORRUPT');
    expect(damaged.counts.bytes).toBe(0);
    expect(await images.image(damaged, 4)).toHaveLength(50_000);
  });
});

it('without hyparquet-compressors the message says what to install', async () => {
  // Processes inherit this: one in which the package cannot be found.
  const hook = join(folder(), 'hook.mjs');
  const resolve = `export const resolve = (name, context, next) => {
    if (name === 'hyparquet-compressors') throw new Error('it is not there');
    return next(name, context);
  };`;
  writeFileSync(
    hook,
    `import { register } from 'node:module';\nregister('data:text/javascript,${encodeURIComponent(resolve).replaceAll("'", '%27')}');`,
  );
  const file = join(folder(), 'x.parquet');
  writeFileSync(file, parquetOf([{ bytes: 'x', label: 0 }]));
  const { code, stderr } = await permafrost(['extract', file, '--store', join(folder(), 'store')], {
    env: { NODE_OPTIONS: `--import=${hook}` },
  });
  expect(code).toBe(1);
  expect(stderr).toContain('[PACKAGE_MISSING]');
  expect(stderr).toContain('npm install hyparquet-compressors');
});
