import { describe, expect, it } from 'vitest';
import {
  featuresIn,
  imageColumns,
  type ImageColumns,
  type ParquetField,
} from '../../../src/extract/archives/parquet-fields.ts';

const field = (name: string, kind: ParquetField['kind'], ...fields: ParquetField[]): ParquetField => ({
  name,
  kind,
  fields,
});
const image = (name: string): ParquetField => field(name, 'struct', field('bytes', 'bytes'), field('path', 'text'));
const columns = (fields: readonly ParquetField[], features: Record<string, unknown> = {}): ImageColumns =>
  imageColumns(fields, featuresIn(JSON.stringify({ info: { features } })));
const classLabel = (...names: string[]): unknown => ({ _type: 'ClassLabel', names });

describe('the columns of a Parquet file of images', () => {
  it('are those of the features Image and ClassLabel', () => {
    expect(
      columns([field('id', 'number'), image('photo of it'), field('kind', 'number')], {
        'photo of it': { _type: 'Image' },
        kind: classLabel('cat', 'dog'),
      }),
    ).toEqual({
      image: 'photo of it',
      isStruct: true,
      hasPath: true,
      label: 'kind',
      classNames: ['cat', 'dog'],
      split: undefined,
      warnings: [],
    });
  });

  it('are told by types and usual names where the file says nothing of features', () => {
    const found = imageColumns(
      [field('IMG', 'bytes'), field('Label', 'text'), field('split', 'text')],
      featuresIn(undefined),
    );
    expect(found).toMatchObject({ image: 'IMG', isStruct: false, hasPath: false, label: 'Label', split: 'split' });
  });

  it('are the only column of bytes, and no label where none is called so', () => {
    expect(columns([field('data', 'bytes'), field('width', 'number')])).toMatchObject({
      image: 'data',
      label: undefined,
    });
    expect(columns([image('x'), field('a', 'other')])).toMatchObject({ image: 'x', label: undefined });
  });

  it('of several are the one that is called image, and the class of most names; that is told', () => {
    const found = columns([image('mask'), image('image'), field('coarse', 'number'), field('fine', 'number')], {
      mask: { _type: 'Image' },
      image: { _type: 'Image' },
      coarse: classLabel('a', 'b'),
      fine: classLabel('a', 'b', 'c'),
    });
    expect(found).toMatchObject({ image: 'image', label: 'fine', classNames: ['a', 'b', 'c'] });
    expect(found.warnings).toEqual([
      'The images of the column image are used, not those of mask.',
      'The columns coarse and fine hold classes; fine is used.',
    ]);
    expect(
      columns([image('image'), field('fine', 'number'), field('label', 'number')], {
        fine: classLabel('a', 'b', 'c'),
        label: classLabel('a', 'b'),
      }),
    ).toMatchObject({ label: 'label' });
  });

  it('are refused where it is not clear which holds the images, or none does', () => {
    expect(() => columns([image('left'), image('right')])).toThrow('has several columns of images (left, right)');
    expect(() => columns([field('url', 'text'), field('label', 'number')])).toThrow(
      'has no column with the bytes of images, as {bytes, path} or bytes alone (columns: url, label)',
    );
  });
});
