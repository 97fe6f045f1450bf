import { expect, it, vi } from 'vitest';
import { openParquet, rowFacts } from '../../../src/extract/archives/parquet-file.ts';
import { parquetRows, rowIn, rowPath } from '../../../src/extract/archives/parquet-rows.ts';
import { parquetOf } from '../../support/parquet-files.ts';
import { bytesFile } from '../../support/tar-files.ts';
import { random } from '../../../src/core/random.ts';

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

it('without hyparquet the message says what to install', async () => {
  vi.resetModules();
  vi.doMock('hyparquet', () => {
    throw new Error('Cannot find package');
  });
  const { openParquet: open } = await import('../../../src/extract/archives/parquet-file.ts');
  await expect(open(largeFile().file)).rejects.toMatchObject({
    code: 'PACKAGE_MISSING',
    message: expect.stringContaining('npm install hyparquet hyparquet-compressors') as string,
  });
  vi.doUnmock('hyparquet');
  expect((await open(largeFile().file)).rows).toBe(20);
});
