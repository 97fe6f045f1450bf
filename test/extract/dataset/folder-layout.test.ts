import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanDataset, type Dataset } from '../../../src/extract/dataset/dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();
const tree = (...paths: readonly string[]): string =>
  writeTree(folder(), Object.fromEntries(paths.map((path) => [path, ''])));
/** Two images in each of some class folders below `above`. */
const classes = (above: string, ...names: string[]): string[] =>
  names.flatMap((name) => ['1.jpg', '2.jpg'].map((image) => `${above}${name}/${image}`));
const scan = (...paths: readonly string[]): Promise<Dataset> => scanDataset(tree(...paths));
const refused = async (...paths: readonly string[]): Promise<string> =>
  (await rejection(scan(...paths), 'DATASET_LAYOUT')).message;
const counts = ({ samples }: Dataset): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const { split, label } of samples) found[`${split} ${label}`] = (found[`${split} ${label}`] ?? 0) + 1;
  return found;
};
const bothSplits = (other: string): Record<string, number> => ({
  'train cat': 2,
  'train dog': 2,
  [`${other} cat`]: 2,
  [`${other} dog`]: 2,
});

describe('splits of other names', () => {
  it.each([
    ['training_set', 'test_set', 'test'],
    ['train_images', 'val_images', 'val'],
    ['TrainData', 'DevData', 'val'],
    ['pets_train', 'pets_eval', 'val'],
    ['train2017', 'val2017', 'val'],
  ])('are told: %s and %s', async (train, other, split) => {
    const found = await scan(...classes(`${train}/`, 'cat', 'dog'), ...classes(`${other}/`, 'cat', 'dog'));
    expect(counts(found)).toEqual(bothSplits(split));
    expect(found.warnings).toEqual([expect.stringMatching(`Folders are read as splits: .*${other} as ${split}`)]);
  });

  it('may be wrapped in folders of their own names, and what lies beside them is told', async () => {
    const found = await scan(
      ...classes('seg_train/seg_train/', 'cat', 'dog'),
      ...classes('seg_test/seg_test/', 'cat', 'dog'),
      'seg_pred/seg_pred/1.jpg',
    );
    expect(counts(found)).toEqual(bothSplits('test'));
    expect(found.warnings).toEqual([
      'Folders are read as splits: seg_test as test, seg_train as train.',
      'Ignored folders beside the splits: seg_pred.',
      'The classes of seg_train lie in seg_train/seg_train.',
      'The classes of seg_test lie in seg_test/seg_test.',
    ]);
  });
});

describe('a folder wrapped around the data set', () => {
  it.each([
    ['train and val', ['h/train/', 'h/val/'], bothSplits('val'), 'h'],
    ['classes', ['PetImages/'], { 'train cat': 2, 'train dog': 2 }, 'PetImages'],
    ['another around splits', ['a/b c/Train/', 'a/b c/valid/'], bothSplits('val'), 'a/b c'],
  ])('of %s is unwrapped and told', async (_what, parents, expected, root) => {
    const found = await scan('README.txt', ...parents.flatMap((above) => classes(above, 'cat', 'dog')));
    expect(counts(found)).toEqual(expected);
    expect(found.warnings[0]).toContain(`The data set lies in ${root}, the one folder with images in `);
    expect(found.samples.every(({ path }) => path.startsWith(`${root}/`))).toBe(true);
  });

  it('stays a wrapper where a picture lies beside the splits, which is told', async () => {
    const found = await scan(...classes('h/train/', 'cat'), ...classes('h/val/', 'cat'), 'h/cover.png');
    expect(counts(found)).toEqual({ 'train cat': 2, 'val cat': 2 });
    expect(found.warnings.join('\n')).toContain(
      'Ignored 1 images beside the folders, which have no class: h/cover.png.',
    );
  });

  it('is a class where its images lie deep but in no classes', async () => {
    expect(counts(await scan('cat/2020/june/1.jpg', 'cat/2020/june/2.jpg'))).toEqual({ 'train cat': 2 });
  });
});

describe('a class that is called as a split', () => {
  it.each([
    [['bus', 'train', 'car'], 'train'],
    [['control', 'test'], 'test'],
    [['test', 'val', 'other'], 'test, val'],
  ])('is one of %j, because images lie right in it', async (names, told) => {
    const found = await scan(...classes('', ...names));
    expect(counts(found)).toEqual(Object.fromEntries(names.map((name) => [`train ${name}`, 2])));
    expect(found.warnings).toEqual([`Taken for a class, not for a split, because images lie right in it: ${told}.`]);
  });

  it('is a class within splits without a word', async () => {
    const found = await scan(...classes('train/', 'bus', 'train'), ...classes('val/', 'bus', 'train'));
    expect(counts(found)).toEqual({ 'train bus': 2, 'train train': 2, 'val bus': 2, 'val train': 2 });
    expect(found.warnings).toEqual([]);
  });

  it('is refused with both readings where its images lie deeper', async () => {
    const message = await refused(...classes('bus/', '2020'), ...classes('train/', '2020'));
    expect(message).toMatch(
      /two ways: train is a split with classes \(2020\), or a class as bus\. For the first, give/,
    );
  });
});

describe('a split without labels', () => {
  const labelled = [...classes('train/', 'cat', 'dog'), ...classes('val/', 'cat', 'dog')];

  it.each([
    ['test', ['test/1.jpg', 'test/2.jpg'], 'its 2 images lie in no class folder', 'test'],
    ['test with one folder', ['test/unknown/1.jpg'], 'its one image lies in test/unknown', 'test/unknown'],
    ['test with two folders', ['test/test/images/1.jpg'], 'its one image lies in test/test/images', 'test/test/images'],
    ['test of another name', ['test1/1.jpg'], 'its one image lies in no class folder', 'test1'],
  ])('is left out, train and val are used, and it can be predicted: %s', async (_what, paths, told, at) => {
    const root = tree(...labelled, ...paths);
    const found = await scanDataset(root);
    expect(counts(found)).toEqual(bothSplits('val'));
    const warning = found.warnings.at(-1)!;
    expect(warning).toContain(told);
    expect(warning).toContain('left out; train and val are used');
    expect(warning).toContain(`permafrost predict HEAD-FILE ${join(root, at)}`);
  });

  it('may be val, as in ImageNet; without another split the data set then gives none', async () => {
    const found = await scan(...classes('train/', 'n01', 'n02'), 'val/ILSVRC2012_val_1.JPEG', 'test/x.JPEG');
    expect(found.hasSplits).toBe(false);
    expect(found.warnings).toEqual([
      expect.stringContaining('val has no labels: its one image lies in no class folder (ILSVRC2012_val_1.JPEG)'),
      expect.stringContaining('test has no labels'),
    ]);
  });

  it('is no excuse for a class in val that train spells otherwise or lacks', async () => {
    for (const other of ['Cat', 'wasp']) {
      const { message } = await rejection(
        scan(...classes('train/', 'cat', 'dog'), ...classes('val/', other)),
        'DATASET_CLASSES',
      );
      expect(message).toContain(`in val are not in train: ${other}.`);
    }
  });

  it.each([
    ['train alone', ['train/cat.0.jpg', 'train/dog.0.jpg']],
    ['train and test', ['train/cat.0.jpg', 'test1/1.jpg']],
    ['all three', ['training/0_0.jpg', 'validation/0_0.jpg', 'evaluation/0_1.jpg']],
  ])('is refused where nothing has labels: %s', async (_what, paths) => {
    expect(await refused(...paths)).toMatch(
      /in no class folder, so nothing says what they show\. Move each into a sub-folder named for its class, or list/,
    );
  });
});

describe('a list beside folders', () => {
  it('is told as not read', async () => {
    const { warnings } = await scan(...classes('', 'cat', 'dog'), 'labels.csv', 'README.md');
    expect(warnings).toEqual([expect.stringContaining('Lists beside the folders are not read: labels.csv.')]);
  });

  it('is named where the images have no class folders', async () => {
    for (const paths of [
      ['1.jpg', 'labels.csv'],
      ['train/1.jpg', 'test/2.jpg', 'labels.csv'],
    ])
      expect(await refused(...paths)).toContain('(unless labels.csv does: give it, with columns path and label)');
  });
});

describe('folders that are no classes', () => {
  const pets = ['cat', 'dog'];
  it.each([
    [
      'variants of one data set',
      ['color', 'grayscale', 'segmented'].flatMap((name) => classes(`${name}/`, ...pets)),
      /color, grayscale, segmented hold no images themselves but folders of the same names \(cat, dog\).*give one of them/,
    ],
    [
      'variants with a folder of images each',
      ['a/images/', 'b/images/'].flatMap((above) => classes(above, ...pets)),
      /folders of the same names \(cat, dog\)/,
    ],
    ['folds', ['fold1/', 'fold2/'].flatMap((above) => classes(above, ...pets)), /fold1, fold2 hold no images/],
    [
      'the data set once more beside its classes',
      [...classes('', ...pets), ...classes('pets/', ...pets)],
      /pets holds no images itself but folders named as those beside it \(cat, dog\)/,
    ],
    [
      'splits inside the classes',
      ['cat/', 'dog/'].flatMap((above) => classes(above, 'train', 'test')),
      /cat holds splits \(test, train\) that hold images\. Splits stand above the classes/,
    ],
    [
      'several data sets',
      ['a/train/', 'a/test/', 'b/train/', 'b/test/'].flatMap((above) => classes(above, ...pets)),
      /a holds no images itself but splits \(test, train\), so it is no class but a data set of its own/,
    ],
    [
      'splits within a split',
      ['train/train/', 'train/val/', 'test/'].flatMap((above) => classes(above, ...pets)),
      /train holds splits \(train, val\) where its classes are expected/,
    ],
    [
      'a split beside a folder that is none',
      [...classes('pets_train/', ...pets), ...classes('more/', 'bird')],
      /pets_train is named as a split and holds 2 folders \(cat, dog\), but beside it are no splits: more/,
    ],
    [
      'a test beside the data set proper',
      [...classes('data/train/', ...pets), ...classes('data/valid/', ...pets), 'test/test/1.jpg'],
      /has test but no Train folder \(beside data\)\. .*data holds a Train folder: give that one/,
    ],
  ])('are refused, with what to do: %s', async (_what, paths, expected) => {
    expect(await refused(...paths)).toMatch(expected);
  });

  it('are told where their names number the parts of one data set', async () => {
    const { warnings } = await scan(...classes('', 'images_part_1', 'images_part_2'));
    expect(warnings).toEqual([
      expect.stringMatching(/named as parts of one data set: images_part_1, images_part_2\.$/),
    ]);
  });
});

describe('deeper folders', () => {
  it('count for the class above them, and are told', async () => {
    const found = await scan('train/n01/images/1.jpg', 'train/n02/images/2.jpg', 'val/images/3.jpg');
    expect(counts(found)).toEqual({ 'train n01': 1, 'train n02': 1 });
    expect(found.warnings).toContain(
      'Images in deeper folders count for the class above them: train/n01/images, train/n02/images.',
    );
  });
});

describe('what systems leave in folders', () => {
  it('is left out, counted and named', async () => {
    const found = await scan(
      ...classes('', 'cat', 'dog'),
      'cat/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg',
      'cat/#recycle/9.jpg',
      'dog/.AppleDouble/1.jpg',
      '$RECYCLE.BIN/x.png',
      'System Volume Information/x.png',
      'lost+found/x.png',
      '.Trash-1000/files/x.png',
      'found.000/x.png',
      '@Recycle/x.png',
    );
    expect(counts(found)).toEqual({ 'train cat': 2, 'train dog': 2 });
    expect(found.warnings).toEqual([
      'Left out 9 hidden or system folders: $RECYCLE.BIN, .Trash-1000, @Recycle, System Volume Information, found.000 and 4 more.',
    ]);
  });

  it('is named where nothing else is there', async () => {
    const { message } = await rejection(scan('@eaDir/1.jpg', '#recycle/2.jpg'), 'DATASET_EMPTY');
    expect(message).toContain('found: #recycle/ (left out), @eaDir/ (left out)');
  });

  it('does not swallow classes of like names', async () => {
    const found = await scan(...classes('', '@home', '#1', 'recycle', 'lost', 'thumbs up'));
    expect(Object.keys(counts(found))).toHaveLength(5);
    expect(found.warnings).toEqual([]);
  });
});

describe('class folders whose names look the same', () => {
  it('are one class where blanks and Unicode form alone differ, between train and val too', async () => {
    const found = await scan(...classes('Train/', 'cafe\u0301', 'dog'), ...classes('Val/', 'caf\u00e9', 'dog '));
    expect(counts(found)).toEqual({ 'train caf\u00e9': 2, 'train dog': 2, 'val caf\u00e9': 2, 'val dog': 2 });
    expect(found.warnings).toEqual([
      expect.stringContaining('are one class: "cafe<U+0301>" = "caf\u00e9", "dog" = "dog<U+0020>".'),
    ]);
    // The path is what the system calls the file.
    expect(found.samples[0]!.path).toBe('Train/cafe\u0301/1.jpg');
  });

  it('stay classes of their own where case differs, and are told', async () => {
    const found = await scan(...classes('', 'A', 'a', 'b'));
    expect(counts(found)).toEqual({ 'train A': 2, 'train a': 2, 'train b': 2 });
    expect(found.warnings).toEqual([expect.stringContaining('classes of their own: "A" and "a".')]);
  });

  it('are shown by their code points where val has what train has not', async () => {
    const { message } = await rejection(
      scan(...classes('Train/', 'New York'), ...classes('Val/', 'New\u00a0York')),
      'DATASET_CLASSES',
    );
    expect(message).toContain('"New York" and "New<U+00A0>York". Give each class one name.');
  });

  it('are refused where nothing is left of a name', async () => {
    expect(await refused(...classes('', '\u00a0', 'dog'))).toContain('has a name of blanks');
  });
});

describe('a flat folder of images', () => {
  it('is refused with what can be done', async () => {
    const root = tree('1.jpg', '2.jpg', 'texts/1.txt', '@eaDir/1.jpg');
    const { message } = await rejection(scanDataset(root), 'DATASET_LAYOUT');
    expect(message).toContain('2 images and no class folders (1.jpg, 2.jpg)');
    expect(message).toContain(
      'move each image into a sub-folder named for its class, or list path and label in a .csv',
    );
    expect(message).toContain(`permafrost predict HEAD-FILE ${root}.`);
  });
});
