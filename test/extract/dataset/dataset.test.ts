import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relabelled, scanDataset, type Dataset } from '../../../src/extract/dataset/dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();
const tree = (...paths: string[]): string => writeTree(folder(), Object.fromEntries(paths.map((path) => [path, ''])));
const rows = async (root: string): Promise<string[]> =>
  (await scanDataset(root)).samples.map(({ split, label, path }) => `${split} ${label} ${path}`);

describe('a data set with Train and Val', () => {
  it('labels each image by its class folder and takes the split from the folder above', async () => {
    const root = tree('Train/ant/1.jpg', 'Train/bee/2.jpg', 'Val/ant/3.jpg', 'Val/bee/4.jpg', 'Test/bee/5.jpg');
    const dataset = await scanDataset(root);
    expect(dataset).toMatchObject({ root, hasSplits: true });
    expect(await rows(root)).toEqual([
      'test bee Test/bee/5.jpg',
      'train ant Train/ant/1.jpg',
      'train bee Train/bee/2.jpg',
      'val ant Val/ant/3.jpg',
      'val bee Val/bee/4.jpg',
    ]);
  });

  it.each([
    ['Train', 'Val'],
    ['train', 'val'],
    ['TRAIN', 'VAL'],
    ['train', 'valid'],
    ['training', 'Validation'],
    ['Train', 'test'],
    ['train', 'Testing'],
  ])('knows the split folders %s and %s', async (train, other) => {
    const root = tree(`${train}/ant/1.jpg`, `${other}/ant/2.jpg`);
    const { samples, warnings } = await scanDataset(root);
    const split = other.toLowerCase().startsWith('test') ? 'test' : 'val';
    expect(Object.fromEntries(samples.map((s) => [s.path, s.split]))).toEqual({
      [`${train}/ant/1.jpg`]: 'train',
      [`${other}/ant/2.jpg`]: split,
    });
    expect(warnings).toEqual([]);
  });

  it('refuses two folders for one split, naming both', async () => {
    const root = tree('Train/ant/1.jpg', 'training/ant/2.jpg', 'Val/ant/3.jpg');
    const { message } = await rejection(scanDataset(root), 'DATASET_LAYOUT');
    expect(message).toMatch(/two folders for the split train: Train and training/);
  });

  it('refuses images that lie in a split folder directly, naming some and saying where they belong', async () => {
    const root = tree('Train/1.jpg', 'Train/2.jpg', 'Train/ant/3.jpg', 'Val/ant/4.jpg');
    const { message } = await rejection(scanDataset(root), 'DATASET_LAYOUT');
    expect(message).toContain(join(root, 'Train'));
    expect(message).toMatch(/2 images that are in no class folder \(1\.jpg, 2\.jpg\).*sub-folder named for its class/);
  });

  it('refuses Val without Train', async () => {
    const { message } = await rejection(scanDataset(tree('Val/ant/1.jpg')), 'DATASET_LAYOUT');
    expect(message).toMatch(/has Val but no Train folder/);
  });

  it('refuses a class that is only validated, listing it and the classes of train', async () => {
    const root = tree('Train/ant/1.jpg', 'Train/bee/2.jpg', 'Val/ant/3.jpg', 'Val/wasp/4.jpg', 'Val/Bee/5.jpg');
    const { message } = await rejection(scanDataset(root), 'DATASET_CLASSES');
    expect(message).toMatch(/2 class\(es\) in val are not in train: Bee, wasp\. Train has: ant, bee\./);
  });

  it('warns of a class that is only trained, naming it', async () => {
    const { warnings, samples } = await scanDataset(tree('Train/ant/1.jpg', 'Train/bee/2.jpg', 'Val/ant/3.jpg'));
    expect(warnings).toEqual([expect.stringMatching(/Classes in train that val lacks.*: bee\.$/)]);
    expect(samples).toHaveLength(3);
  });

  it('warns of folders beside the splits and of images beside the folders, and takes neither', async () => {
    const root = tree('Train/ant/1.jpg', 'Val/ant/2.jpg', 'masks/ant/3.jpg', 'cover.png');
    const { warnings, samples } = await scanDataset(root);
    expect(samples.map(({ path }) => path)).toEqual(['Train/ant/1.jpg', 'Val/ant/2.jpg']);
    expect(warnings.join('\n')).toMatch(/Ignored 1 images beside the folders.*cover\.png/);
    expect(warnings.join('\n')).toMatch(/Ignored folders beside the splits: masks/);
  });

  it('says that it has no splits where Val holds nothing, so that the caller can split', async () => {
    expect(await scanDataset(tree('Train/ant/1.jpg', 'Val/ant/'))).toMatchObject({ hasSplits: false });
  });
});

describe('a data set of class folders', () => {
  it('labels images by the folder and names no split', async () => {
    const root = tree('dog/1.jpg', 'cat/2.jpg');
    expect(await scanDataset(root)).toMatchObject({ hasSplits: false, warnings: [] });
    expect(await rows(root)).toEqual(['train cat cat/2.jpg', 'train dog dog/1.jpg']);
  });

  it('takes the images of nested sub-folders for the class above', async () => {
    expect(await rows(tree('cat/2020/june/1.jpg', 'cat/2.jpg', 'dog/a/3.png'))).toEqual([
      'train cat cat/2.jpg',
      'train cat cat/2020/june/1.jpg',
      'train dog dog/a/3.png',
    ]);
  });

  it('leaves out hidden files and folders, what zip tools leave, and stores, and tells what could be images', async () => {
    const root = tree(
      'cat/1.jpg',
      'cat/.DS_Store',
      'cat/._1.jpg',
      'cat/.ipynb_checkpoints/1.jpg',
      '.ipynb_checkpoints/2.jpg',
      '.git/3.jpg',
      '__MACOSX/cat/1.jpg',
      'pets.permafrost/manifest.json',
      'dog/4.jpg',
    );
    expect(await rows(root)).toEqual(['train cat cat/1.jpg', 'train dog dog/4.jpg']);
    expect((await scanDataset(root)).warnings).toEqual([
      'Left out 4 hidden or system folders: .git, .ipynb_checkpoints, __MACOSX, cat/.ipynb_checkpoints.',
      'Left out 1 hidden image file: cat/._1.jpg.',
    ]);
  });

  it('names empty class folders and files that are no image, and goes on without them', async () => {
    const { samples, warnings } = await scanDataset(
      tree('cat/1.jpg', 'cat/notes.txt', 'dog/2.JPG', 'empty/', 'hollow/deep/', 'texts/a.md'),
    );
    expect(new Set(samples.map(({ label }) => label))).toEqual(new Set(['cat', 'dog']));
    expect(warnings).toEqual([
      'Folders without an image, which are no class: empty, hollow, texts.',
      'Ignored 2 that are no images: cat/notes.txt, texts/a.md.',
    ]);
  });

  it('takes every image extension in any case', async () => {
    const names = ['a.jpg', 'b.JPEG', 'c.Png', 'd.webp', 'e.gif', 'f.tif', 'g.TIFF', 'h.avif', 'i.svg', 'j.bmp'];
    expect(await rows(tree(...names.map((name) => `cat/${name}`)))).toHaveLength(names.length);
  });

  it('keeps spaces, quotes, emoji and newlines in names of files and classes', async () => {
    const names = ['two  spaces.jpg', `it's "quoted".jpg`, 'päivä 🐜.png', 'line\nbreak.jpg', 'a,b;c.gif', '%20.jpg'];
    const label = 'big "cat" 🐈\nwild';
    const { samples } = await scanDataset(tree(...names.map((name) => `${label}/${name}`)));
    expect(new Set(samples.map(({ path }) => path))).toEqual(new Set(names.map((name) => `${label}/${name}`)));
    expect(new Set(samples.map((sample) => sample.label))).toEqual(new Set([label]));
  });

  it('sorts by the code units of the path, whatever the order of creation and the locale', async () => {
    const paths = ['b/1.jpg', 'a/10.jpg', 'a/2.jpg', 'Z/1.jpg', 'ä/1.jpg', 'a/B.jpg', 'a b/1.jpg'];
    const expected = [...paths].sort((x, y) => (x < y ? -1 : 1));
    for (const order of [paths, [...paths].reverse()]) {
      const { samples } = await scanDataset(tree(...order));
      expect(samples.map(({ path }) => path)).toEqual(expected);
    }
  });
});

describe.skipIf(process.platform === 'win32')('symbolic links in a data set', () => {
  it('are followed to files and folders', async () => {
    const elsewhere = tree('x.jpg', 'more/y.jpg');
    const root = tree('cat/1.jpg', 'dog/2.jpg');
    symlinkSync(join(elsewhere, 'x.jpg'), join(root, 'cat/linked.jpg'));
    symlinkSync(join(elsewhere, 'more'), join(root, 'bird'));
    expect(await rows(root)).toEqual([
      'train bird bird/y.jpg',
      'train cat cat/1.jpg',
      'train cat cat/linked.jpg',
      'train dog dog/2.jpg',
    ]);
  });

  it('that lead up again neither hang nor put images under another label', async () => {
    const root = tree('Train/ant/1.jpg', 'Train/bee/2.jpg', 'Val/ant/3.jpg', 'Val/bee/4.jpg');
    const expected = await rows(root);
    symlinkSync('.', join(root, 'Train/ant/self'));
    symlinkSync('..', join(root, 'Train/ant/split'));
    symlinkSync('../..', join(root, 'Train/ant/root'));
    symlinkSync('../../..', join(root, 'Train/ant/above'));
    symlinkSync('../bee', join(root, 'Train/ant/sibling'));
    expect(await rows(root)).toEqual(expected);
    const { warnings } = await scanDataset(root);
    expect(warnings.join()).toMatch(/Ignored 5 .*Train\/ant\/above\/ \(a link to a folder that is listed already\)/);
  });

  it('that lead to each other end, and each image is met once', async () => {
    const root = tree('cat/in/1.jpg', 'dog/in/2.jpg');
    symlinkSync('../../dog/in', join(root, 'cat/in/other'));
    symlinkSync('../../cat/in', join(root, 'dog/in/other'));
    const { samples } = await scanDataset(root);
    expect(samples).toHaveLength(2);
  });

  it('that dangle count as the images they are named for, to be told as failures later', async () => {
    const root = tree('cat/1.jpg', 'dog/2.jpg');
    symlinkSync('gone.jpg', join(root, 'dog/dangling.jpg'));
    symlinkSync('circle.jpg', join(root, 'dog/circle.jpg'));
    expect(await rows(root)).toEqual([
      'train cat cat/1.jpg',
      'train dog dog/2.jpg',
      'train dog dog/circle.jpg',
      'train dog dog/dangling.jpg',
    ]);
  });
});

describe('what is no data set', () => {
  it('is refused with its path and the layouts that are expected', async () => {
    const where = join(folder(), 'nowhere');
    const { message } = await rejection(scanDataset(where), 'DATASET_NOT_FOUND');
    expect(message).toContain(where);
    expect(message).toMatch(/Train\/ and Val\/.*\.csv or \.jsonl/);
  });

  it.each([
    ['nothing', [], 'DATASET_EMPTY', /holds no images \(found: nothing/],
    ['no image', ['readme.txt', 'cat/a.txt'], 'DATASET_EMPTY', /found: cat\/, readme\.txt/],
    ['images and no folder', ['1.jpg', '2.jpg'], 'DATASET_LAYOUT', /2 images and no class folders \(1\.jpg, 2\.jpg\)/],
  ] as const)('is refused where a folder holds %s', async (_what, paths, code, expected) => {
    const { message } = await rejection(scanDataset(tree(...paths)), code);
    expect(message).toMatch(expected);
    expect(message).toContain('Expected Train/ and Val/');
  });

  it('is refused where a file is neither a folder nor a list', async () => {
    const root = tree('photo.jpg');
    const { message } = await rejection(scanDataset(join(root, 'photo.jpg')), 'DATASET_LAYOUT');
    expect(message).toMatch(/neither a \.csv nor a \.jsonl/);
  });
});

describe('other labels for a data set', () => {
  const root = (): string => tree('Train/ant/1.jpg', 'Train/bee/2.jpg', 'Val/ant/3.jpg', 'Val/bee/4.jpg');
  const under = async (where: string, csv: string): Promise<Dataset> => {
    const file = join(writeTree(folder(), { 'labels.csv': csv }), 'labels.csv');
    return relabelled(await scanDataset(where), file);
  };

  it('count where the list names the image; its paths are relative to the data set, wherever it lies', async () => {
    const dataset = await under(root(), 'path,label\nTrain/bee/2.jpg,wasp\nVal/bee/4.jpg,wasp\nVal/ant/3.jpg,ant\n');
    expect(dataset.samples.map(({ path, label, split }) => `${split} ${label} ${path}`)).toEqual([
      'train ant Train/ant/1.jpg',
      'train wasp Train/bee/2.jpg',
      'val ant Val/ant/3.jpg',
      'val wasp Val/bee/4.jpg',
    ]);
    expect(dataset.warnings.at(-1)).toMatch(/gives 2 of 4 images another label or split/);
  });

  it('bring their splits too where they give them', async () => {
    const dataset = await under(root(), 'path,label,split\nVal/bee/4.jpg,bee,train\n');
    expect(dataset.samples.map(({ split }) => split)).toEqual(['train', 'train', 'val', 'train']);
  });

  it('are refused where they name no image of it, and told of where they name more than it has', async () => {
    const where = root();
    const { message } = await rejection(under(where, 'path,label\nbee/2.jpg,wasp\n'), 'DATASET_LAYOUT');
    expect(message).toMatch(/names none of the 4 images .* as "Train\/ant\/1\.jpg" is/);
    const { warnings } = await under(where, 'path,label\nTrain/bee/2.jpg,bee\ngone.jpg,bee\n');
    expect(warnings.join()).toContain('names 1 images that the data set has not');
  });

  it('are refused where they leave a class in val that train has not', async () => {
    const { message } = await rejection(under(root(), 'path,label\nVal/bee/4.jpg,wasp\n'), 'DATASET_CLASSES');
    expect(message).toContain('wasp');
  });
});
