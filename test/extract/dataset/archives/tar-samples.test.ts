import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relabelled, scanDataset, type Dataset } from '../../../../src/extract/dataset/dataset.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../../support/folders.ts';
import { tarOf, tarOfFiles } from '../../../support/tar-files.ts';

const folder = temporaryFolders();

type Files = Readonly<Record<string, string | Uint8Array>>;
/** A folder of archives, each of files by path. */
const archives = (given: Readonly<Record<string, Files>>, beside: Files = {}): string =>
  writeTree(folder(), {
    ...Object.fromEntries(Object.entries(given).map(([name, files]) => [name, tarOfFiles(files)])),
    ...beside,
  });
const scan = (given: Readonly<Record<string, Files>>, beside: Files = {}): Promise<Dataset> =>
  scanDataset(archives(given, beside));
const refused = async (given: Readonly<Record<string, Files>>, beside: Files = {}): Promise<string> =>
  (await rejection(scan(given, beside), 'DATASET_LAYOUT')).message;
const listed = ({ samples }: Dataset): string[] => samples.map(({ path, label, split }) => `${path} ${label} ${split}`);

describe('classes that are folders in archives', () => {
  it('are listed as the same folders are, with the same paths, where the data set is one archive', async () => {
    const files = {
      'Train/cats/1.jpg': 'a',
      'Train/cats/deep/2.jpg': 'b',
      'Train/dogs/3.JPG': 'c',
      'Train/dogs/.hidden.jpg': 'h',
      'Train/dogs/notes.txt': 'n',
      'Val/cats/4.png': 'd',
      'Val/dogs/5.webp': 'e',
      '__MACOSX/Train/cats/._1.jpg': 'm',
    };
    const unpacked = await scanDataset(writeTree(folder(), files));
    const file = join(archives({ 'all.tar': files }), 'all.tar');
    const packed = await scanDataset(file);
    expect(packed.samples).toEqual(unpacked.samples);
    expect(packed.warnings).toEqual(unpacked.warnings);
    expect(packed.warnings).toHaveLength(4);
    expect(packed).toMatchObject({ root: file, hasSplits: true, failures: [] });
  });

  it('may be spread over archives, which have files of one name', async () => {
    const found = await scan({
      's-1.tar': { 'cats/1.jpg': 'b', 'dogs/1.jpg': 'c' },
      's-0.tar': { 'cats/1.jpg': 'a', 'dogs/2.jpg': 'd' },
    });
    expect(listed(found)).toEqual([
      's-0.tar/cats/1.jpg cats train',
      's-0.tar/dogs/2.jpg dogs train',
      's-1.tar/cats/1.jpg cats train',
      's-1.tar/dogs/1.jpg dogs train',
    ]);
    expect(found).toMatchObject({ hasSplits: false, warnings: [] });
  });

  it.each([
    ['train-00000.tar', 'train-00001.tar', 'val-00000.tar'],
    ['train/00000.tar', 'train/00001.tar', 'val/00000.tar'],
    ['pets-train-0-of-2.tar', 'pets-train-1-of-2.tar', 'pets-val-0-of-1.tar'],
  ])('have the splits that archives are named for: %s, %s, %s', async (first, second, val) => {
    const found = await scan({
      [first]: { 'cats/1.jpg': 'a' },
      [second]: { 'dogs/2.jpg': 'b' },
      [val]: { 'cats/3.jpg': 'c', 'dogs/4.jpg': 'd' },
    });
    expect(listed(found)).toEqual([
      `${first}/cats/1.jpg cats train`,
      `${second}/dogs/2.jpg dogs train`,
      `${val}/cats/3.jpg cats val`,
      `${val}/dogs/4.jpg dogs val`,
    ]);
  });

  it('are refused with the place where they are none', async () => {
    expect(
      await refused({ 's.tar': { 'cats/train/1.jpg': 'a', 'cats/test/2.jpg': 'b', 'dogs/train/3.jpg': 'c' } }),
    ).toContain('(inside)/cats');
  });
});

describe('classes beside the images', () => {
  it('are the numbers of .cls, named by classnames.txt', async () => {
    const shard = { '0.jpg': 'a', '0.cls': '1\n', '1.jpg': 'b', '1.cls': '0' };
    const bare = await scan({ 's.tar': shard });
    expect(listed(bare)).toEqual(['s.tar/0.jpg 1 train', 's.tar/1.jpg 0 train']);
    expect(bare.warnings).toEqual([expect.stringContaining('Classes are numbers without names: 0, 1.')]);
    const named = await scan({ 's.tar': shard }, { 'classnames.txt': 'tabby cat\npug\n' });
    expect(listed(named)).toEqual(['s.tar/0.jpg pug train', 's.tar/1.jpg tabby cat train']);
    expect(named.warnings).toEqual([]);
    const cranes = await scan({ 's.tar': shard }, { 'classnames.txt': 'crane\ncrane' });
    expect(cranes.samples.map(({ label }) => label)).toEqual(['crane (1)', 'crane (0)']);
    expect(cranes.warnings).toEqual([expect.stringContaining('gives several classes the same name')]);
    expect(await refused({ 's.tar': { ...shard, '2.jpg': 'c', '2.cls': '2' } }, { 'classnames.txt': 'a\nb' })).toMatch(
      /classnames\.txt names 2 classes, 0 to 1, and .* has images of 2\./,
    );
  });

  it('are fields of .json, with the split; numbers get the names that stand beside them', async () => {
    const found = await scan({
      's.tar': {
        'a/0.jpg': 'a',
        'a/0.json': '{"label": 3, "class": "cat", "split": "train"}',
        'a/1.jpg': 'b',
        'a/1.json': '{"cls": 3, "split": "validation"}',
        'a/2.jpg': 'c',
        'a/2.json': '{"label": "dog", "cls": "4", "split": "train"}',
        'a/2.txt': 'a caption',
      },
    });
    expect(listed(found)).toEqual(['s.tar/a/0.jpg cat train', 's.tar/a/1.jpg cat val', 's.tar/a/2.jpg dog train']);
    expect(found.warnings).toEqual([expect.stringContaining('Classes in train that val lacks')]);
  });

  it.each([
    [
      'a .cls and a .json',
      { '0.cls': 'cat', '0.json': '{"label": "dog"}' },
      '.cls says "cat", the label in .json says "dog"',
    ],
    ['two fields', { '0.json': '{"label": 1, "cls": 2}' }, 'the label in .json says 1, the cls in .json says 2'],
    ['a fraction', { '0.json': '{"label": 1.5}' }, 'is 1.5, which is no class'],
    ['what is no class', { '0.json': '{"label": ["a"]}', '0.cls': '1' }, 'has ["a"] as label, which is no class'],
    ['broken JSON', { '0.json': '{"label": ', '0.cls': '1' }, '0.json is no JSON'],
    ['bytes', { '0.cls': Buffer.from('c\xe9', 'latin1'), '1.cls': '1' }, '0.cls is no UTF-8 text'],
  ])('are refused with the sample where they are wrong: %s', async (_, files, told) => {
    expect(await refused({ 's.tar': { '0.jpg': 'a', ...files } })).toContain(told);
  });

  it('must be the same number for a name everywhere, and names or numbers for all', async () => {
    const of = (label: string, cls: string): Files => ({
      '0.jpg': 'a',
      '0.cls': cls,
      '0.json': `{"label": "${label}"}`,
    });
    expect(await refused({ 'a.tar': of('cat', '1'), 'b.tar': of('dog', '1') })).toContain(
      'the class 1 is called cat in one place and dog in another',
    );
    expect(await refused({ 'a.tar': of('cat', '1'), 'b.tar': of('cat', '2') })).toContain(
      'cat is the class 1 in one place and 2 in another',
    );
    expect(await refused({ 'a.tar': { '0.jpg': 'a', '0.cls': 'cat', '1.jpg': 'b', '1.cls': '7' } })).toContain(
      'some images have names as classes (cat), others numbers that no name goes with (7)',
    );
  });

  it('must agree with a folder that is called as a class', async () => {
    const files = {
      'cat/0.jpg': 'a',
      'cat/0.cls': 'cat',
      'dog/1.jpg': 'b',
      'dog/1.cls': 'cat',
      'dog/2.jpg': 'c',
      'dog/2.cls': 'dog',
    };
    expect(await refused({ 's.tar': files })).toContain(
      's.tar/dog/1.jpg lies in the folder dog, which is a class, and the file beside it says cat',
    );
  });

  it('must be there for each image of train; a test without any is left out and told', async () => {
    const train = { '0.jpg': 'a', '0.cls': 'cat', '1.jpg': 'b', '1.cls': 'dog' };
    expect(await refused({ 's.tar': { ...train, '2.jpg': 'c' } })).toContain(
      '1 of 3 images have no class, the first is s.tar/2.jpg',
    );
    const found = await scan({ 'train.tar': train, 'test.tar': { '0.jpg': 'x', '0.cls': '-1', '1.jpg': 'y' } });
    expect(listed(found)).toEqual(['train.tar/0.jpg cat train', 'train.tar/1.jpg dog train']);
    expect(found.warnings).toEqual(['test has no labels: its 2 images are left out; the first is test.tar/0.jpg.']);
  });

  it('name one image a sample: of one extension, of the order of open_clip, or called image', async () => {
    const found = await scan({
      's.tar': {
        '0.seg.png': 'm',
        '0.jpg': 'a',
        '0.cls': '0',
        '1.png': 'm',
        '1.jpg': 'b',
        '1.cls': '1',
        '2.depth.png': 'm',
        '2.image.png': 'c',
        '2.cls': '1',
        '3.cls': '1',
        'readme.md': 'r',
      },
    });
    expect(found.samples.map(({ path }) => path)).toEqual(['s.tar/0.jpg', 's.tar/1.jpg', 's.tar/2.image.png']);
    expect(found.warnings.slice(0, 3)).toEqual([
      'Samples have 3 further images, which are left out: s.tar/0.seg.png, s.tar/1.png, s.tar/2.depth.png.',
      '1 samples have no image, and are left out.',
      'Ignored 1 that are no images: s.tar/readme.md.',
    ]);
    expect(await refused({ 's.tar': { '0.left.png': 'a', '0.right.png': 'b', '0.cls': '0' } })).toContain(
      'the sample 0 has 2 images (0.left.png, 0.right.png)',
    );
  });

  it('may come with splits from the archive, a folder inside and .json, which agree', async () => {
    const of = (prefix: string, split: string): Files => ({
      [`${prefix}0.jpg`]: 'a',
      [`${prefix}0.json`]: `{"label": "cat"${split}}`,
      [`${prefix}1.jpg`]: 'b',
      [`${prefix}1.json`]: `{"label": "dog"${split}}`,
    });
    const inside = await scan({ 's.tar': { ...of('train/', ''), ...of('dev/', '') } });
    expect(inside.samples.map(({ split }) => split)).toEqual(['val', 'val', 'train', 'train']);
    expect(inside.warnings).toEqual(['Folders in the archives are read as splits: dev as val.']);
    expect(await refused({ 'train.tar': of('', ''), 'val.tar': of('', ', "split": "test"') })).toContain(
      'val.tar/0.jpg: the name of its archive says val, split in .json says test',
    );
    expect(await refused({ 's.tar': { ...of('a', ', "split": "train"'), ...of('b', '') } })).toContain(
      'gives a split for 2 of 4 images; the first without is s.tar/b0.jpg',
    );
    expect(await refused({ 's.tar': of('', ', "split": "third"') })).toContain('split in .json is "third"');
  });
});

describe('archives', () => {
  const two = { 'cats/1.jpg': 'a', 'dogs/2.jpg': 'b' };

  it('are named by a pattern, as WebDataset writes it', async () => {
    const root = archives({ 's-08.tar': two, 's-09.tar': two, 's-10.tar': two, 't-09.tar': two, 'other.tar': two });
    const pattern = join(root, 's-{08..10}.tar');
    const found = await scanDataset(pattern);
    expect(found.root).toBe(pattern);
    expect(new Set(found.samples.map(({ path }) => path.split('/')[0]))).toEqual(
      new Set(['s-08.tar', 's-09.tar', 's-10.tar']),
    );
    expect((await scanDataset(join(root, '{s,t}-09.tar'))).samples).toHaveLength(4);
    const { message } = await rejection(scanDataset(join(root, 's-{08..11}.tar')), 'DATASET_NOT_FOUND');
    expect(message).toContain('s-11.tar');
    expect((await rejection(scanDataset(join(root, 's-{10..08}.tar')), 'DATASET_LAYOUT')).message).toContain(
      '{10..08} is no range',
    );
  });

  it('without classes, without images or without members are refused with what was found', async () => {
    expect(await refused({ 's.tar': { '0.jpg': 'a', '0.json': '{"caption": "x", "url": "y"}' } })).toMatch(
      /nothing says what the images show, such as s\.tar\/0\.jpg\..*\(its \.json have caption, url\)/,
    );
    const none = await rejection(scan({ 's.tar': { 'a/1.txt': 'x' } }), 'DATASET_EMPTY');
    expect(none.message).toContain('no image is in this archive (found: s.tar/a/1.txt)');
    await rejection(scan({ 's.tar': {}, 't.tar': {} }), 'DATASET_EMPTY');
  });

  it('of which one is damaged are refused whole, by its name', async () => {
    const root = writeTree(folder(), { 'a.tar': tarOfFiles(two), 'b.tar': tarOfFiles(two).subarray(0, 900) });
    expect((await rejection(scanDataset(root), 'ARCHIVE_CORRUPT')).message).toContain(join(root, 'b.tar'));
  });

  it('beside class folders are told and not read; pictures beside archives are told', async () => {
    const folders = await scan({ 'more.tar': two }, { 'cats/9.jpg': 'a', 'dogs/9.jpg': 'b' });
    expect(folders.samples).toHaveLength(2);
    expect(folders.warnings).toEqual([expect.stringContaining('Archives beside the folders are not read: more.tar.')]);
    const cover = await scan({ 's.tar': two }, { 'cover.png': 'c', 'README.md': 'r' });
    expect(cover.samples).toHaveLength(2);
    expect(cover.warnings).toEqual(['Ignored 1 images beside the archives: cover.png.']);
  });

  it('of two kinds, compressed ones, and a val without a train are refused', async () => {
    expect(await refused({ 's.tar': two }, { 't.parquet': 'x' })).toContain(
      'holds tar archives (s.tar) and Parquet files (t.parquet)',
    );
    expect(await refused({ 'val-0.tar': two })).toContain('has archives for val and none for train');
    for (const [name, way] of [
      ['x.tar.gz', 'gunzip -k'],
      ['x.tgz', 'gunzip -k'],
      ['x.zip', 'unzip -d FOLDER'],
    ] as const) {
      const file = join(writeTree(folder(), { [name]: 'x' }), name);
      expect((await rejection(scanDataset(file), 'DATASET_LAYOUT')).message).toContain(`${way} ${file}`);
    }
  });

  it('have names that are no UTF-8, which are failures', async () => {
    const bytes = tarOf([
      ...Object.keys(two).map((name) => ({ name, content: 'x' })),
      { name: Buffer.from('cats/\xe9.jpg', 'latin1') },
    ]);
    const found = await scanDataset(join(writeTree(folder(), { 's.tar': bytes }), 's.tar'));
    expect(found.failures).toEqual([expect.objectContaining({ path: 'cats/\\xe9.jpg', code: 'IMAGE_UNREADABLE' })]);
  });

  it('take labels from a list of their paths', async () => {
    const found = await scan({ 's.tar': { ...two, 'dogs/3.jpg': 'c', 'cats/3.jpg': 'd' } });
    const list = join(writeTree(folder(), { 'labels.csv': 'path,label\ns.tar/cats/1.jpg,dogs\n' }), 'labels.csv');
    const changed = await relabelled(found, list);
    expect(listed(changed)[0]).toBe('s.tar/cats/1.jpg dogs train');
  });
});
