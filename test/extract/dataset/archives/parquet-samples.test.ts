import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as DatasetModule from '../../../../src/extract/dataset/dataset.ts';
import { built } from '../../../support/built.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../../support/folders.ts';
import { parquetOf, type ParquetOptions, type ParquetRow } from '../../../support/parquet-files.ts';
import { tarOfFiles } from '../../../support/tar-files.ts';

type Dataset = DatasetModule.Dataset;
const { scanDataset, sourceOf } = await built<typeof DatasetModule>('extract/dataset/dataset.js');

const folder = temporaryFolders();
const files = (given: Readonly<Record<string, string | Uint8Array>>): string => writeTree(folder(), given);
const one = (rows: readonly ParquetRow[], options: ParquetOptions = {}): Promise<Dataset> =>
  scanDataset(join(files({ 'x.parquet': parquetOf(rows, options) }), 'x.parquet'));
const refused = async (rows: readonly ParquetRow[], options: ParquetOptions = {}): Promise<string> =>
  (await rejection(one(rows, options), 'DATASET_LAYOUT')).message;
const listed = ({ samples }: Dataset): string[] => samples.map(({ path, label, split }) => `${path} ${label} ${split}`);

const CLASSES = { classes: ['cat', 'dog'] };
const TWO: readonly ParquetRow[] = [
  { bytes: 'a', label: 0 },
  { bytes: 'b', label: 1 },
];

describe('images in Parquet files', () => {
  it('are rows, named by file, number and their own name, with the classes that the file names', async () => {
    const root = files({
      'data/train-00000-of-00002.parquet': parquetOf(
        [
          { bytes: 'a', label: 1, path: 'some/folder/a.jpg' },
          { bytes: 'b', label: 0 },
          { bytes: 'c', label: 1, path: '..' },
        ],
        CLASSES,
      ),
      'data/train-00001-of-00002.parquet': parquetOf(TWO, CLASSES),
      'data/validation-00000-of-00001.parquet': parquetOf(TWO, CLASSES),
      'README.md': 'about',
    });
    const found = await scanDataset(root);
    expect(listed(found)).toEqual([
      'data/train-00000-of-00002.parquet/000000/a.jpg dog train',
      'data/train-00000-of-00002.parquet/000001 cat train',
      'data/train-00000-of-00002.parquet/000002 dog train',
      'data/train-00001-of-00002.parquet/000000 cat train',
      'data/train-00001-of-00002.parquet/000001 dog train',
      'data/validation-00000-of-00001.parquet/000000 cat val',
      'data/validation-00000-of-00001.parquet/000001 dog val',
    ]);
    expect(found).toMatchObject({ hasSplits: true, warnings: [], failures: [] });
  });

  it('have names as classes, and splits from a column', async () => {
    const found = await one([
      { bytes: 'a', label: 'cat ', split: 'train' },
      { bytes: 'b', label: 'dog', split: 'train' },
      { bytes: 'c', label: 'cat', split: 'test' },
    ]);
    expect(listed(found)).toEqual(['000000 cat train', '000001 dog train', '000002 cat test']);
    expect(await refused([{ bytes: 'a', label: 'cat', split: 'third' }])).toContain('the column split is "third"');
  });

  it('of a test without classes (-1, or null) are left out and told; in train they are refused', async () => {
    const root = files({
      'train.parquet': parquetOf(TWO, CLASSES),
      'test.parquet': parquetOf(
        [
          { bytes: 'x', label: -1 },
          { bytes: 'y', label: null },
        ],
        CLASSES,
      ),
    });
    const found = await scanDataset(root);
    expect(found.samples).toHaveLength(2);
    expect(found.warnings).toEqual([
      'test has no labels: its 2 images are left out; the first is test.parquet/000000.',
    ]);
    expect(await refused([...TWO, { bytes: 'c', label: null }], CLASSES)).toContain(
      '1 of 3 images have no class, the first is 000002',
    );
  });

  it('with numbers alone are told, and numbers beyond the names refused', async () => {
    expect((await one(TWO)).warnings).toEqual([expect.stringContaining('Classes are numbers without names: 0, 1.')]);
    expect(await refused([...TWO, { bytes: 'c', label: 2 }], CLASSES)).toContain('names 2 classes, 0 to 1, and');
  });

  it('are refused without a column of classes, and where files name theirs differently', async () => {
    expect(await refused(TWO, { labelColumn: 'width' })).toContain(
      'no column says what the images show (columns: image, width)',
    );
    const root = files({
      'train-0.parquet': parquetOf(TWO, CLASSES),
      'train-1.parquet': parquetOf(TWO, { classes: ['dog', 'cat'] }),
    });
    expect((await rejection(scanDataset(root), 'DATASET_LAYOUT')).message).toContain('name their classes differently');
  });

  it.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -20)],
    ['empty', () => Buffer.alloc(0)],
    ['another kind of file', () => tarOfFiles({ 'a.jpg': 'x' })],
  ])('in a file that is %s are refused by its name', async (_, damage) => {
    const root = files({ 'x.parquet': damage(parquetOf(TWO, CLASSES)) });
    const { message } = await rejection(scanDataset(root), 'ARCHIVE_CORRUPT');
    expect(message).toContain(`${join(root, 'x.parquet')} cannot be read as Parquet`);
  });
});

describe('the source of images in Parquet files', () => {
  it('gives the bytes of each row, in any order and at once, and a failure where there are none', async () => {
    const rows = Array.from({ length: 23 }, (_, i) => ({ bytes: i === 5 ? null : `image ${i}`, label: i % 2 }));
    const found = await one(rows, { ...CLASSES, groupRows: 4 });
    const source = await sourceOf(found);
    const read = async (at: number): Promise<string> =>
      source.read(found.samples[at]!.path).then(
        (bytes) => bytes.toString(),
        (error: unknown) => (error as Error).message,
      );
    const order = found.samples.map((_, i) => (i * 7) % 23);
    const expected = order.map((i) => (i === 5 ? 'The row has no bytes of an image.' : `image ${i}`));
    expect(await Promise.all(order.map(read))).toEqual(expected);
    for (const [i, at] of order.entries()) expect(await read(at)).toBe(expected[i]);
    const stamps = await Promise.all(found.samples.map(({ path }) => source.stamp(path)));
    expect(new Set(stamps.map(({ ino }) => ino)).size).toBe(23);
    await rejection(source.read('000099'), 'IMAGE_UNREADABLE');
    await source.close();
  });
});
