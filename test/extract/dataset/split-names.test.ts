import { describe, expect, it } from 'vitest';
import { readAsSplits, splitsNamed } from '../../../src/extract/dataset/split-names.ts';

const splits = (...names: string[]): Record<string, string> => Object.fromEntries(splitsNamed(names));

describe('names that mean splits', () => {
  it.each([
    ['train', 'train'],
    ['TRAIN', 'train'],
    ['Training', 'train'],
    ['training_set', 'train'],
    ['Training Set', 'train'],
    ['trainset', 'train'],
    ['train_images', 'train'],
    ['TrainData', 'train'],
    ['train2017', 'train'],
    ['seg_train', 'train'],
    ['val', 'val'],
    ['valid', 'val'],
    ['Validation', 'val'],
    ['validationSet', 'val'],
    ['dev', 'val'],
    ['eval', 'val'],
    ['hold-out', 'val'],
    ['test', 'test'],
    ['Testing', 'test'],
    ['test_set', 'test'],
    ['test1', 'test'],
    ['PublicTest', 'test'],
  ])('are known: %s is %s', (name, split) => {
    expect(splits(name)).toEqual({ [name]: split });
  });

  it.each([
    'trains',
    'freight train',
    'test tube',
    'contest',
    'devil',
    'fold1',
    'images',
    'cat',
    'attest',
    'train_test',
  ])('do not hide in %s', (name) => {
    expect(splits(name)).toEqual({});
  });

  it('may have words of the data set in them where another split has the same ones', () => {
    expect(splits('asl_alphabet_train', 'asl_alphabet_test')).toEqual({
      asl_alphabet_train: 'train',
      asl_alphabet_test: 'test',
    });
    expect(splits('freight train', 'passenger train', 'bus')).toEqual({});
    expect(splits('ILSVRC2012_img_train', 'ILSVRC2012_img_val')).toEqual({
      ILSVRC2012_img_train: 'train',
      ILSVRC2012_img_val: 'val',
    });
  });

  it('may be the one train beside a clear name, whatever else it says', () => {
    expect(splits('train_mini', 'val')).toEqual({ train_mini: 'train', val: 'val' });
    expect(splits('train', 'train_mini', 'val')).toEqual({ train: 'train', val: 'val' });
  });

  it('eval is what is left: val beside train and test, test beside train and val', () => {
    expect(splits('train', 'eval')).toEqual({ train: 'train', eval: 'val' });
    expect(splits('training', 'validation', 'evaluation')).toMatchObject({ validation: 'val', evaluation: 'test' });
    expect(splits('train', 'dev', 'eval')).toMatchObject({ dev: 'val', eval: 'test' });
  });

  it('are told where they do not go without saying', () => {
    expect(readAsSplits(splitsNamed(['Train', 'valid', 'test']))).toBeUndefined();
    expect(readAsSplits(splitsNamed(['training_set', 'test']))).toBe('training_set as train');
  });
});
