import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanDataset } from '../../../src/extract/dataset/dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';

const folder = temporaryFolders();
const listed = (name: string, text: string): string => join(writeTree(folder(), { [name]: text }), name);
const scan = (name: string, text: string) => scanDataset(listed(name, text));
const refused = async (name: string, text: string): Promise<string> =>
  (await rejection(scan(name, text), 'DATASET_LAYOUT')).message;

describe('a data set listed in a CSV', () => {
  it('gives samples with paths relative to the file, sorted', async () => {
    const file = listed('set.csv', 'path,label,split\nimages/b.jpg,bee,val\nimages/a.jpg,ant,train\nc.jpg,bee,train\n');
    expect(await scanDataset(file)).toEqual({
      root: resolve(file, '..'),
      samples: [
        { path: 'c.jpg', label: 'bee', split: 'train' },
        { path: 'images/a.jpg', label: 'ant', split: 'train' },
        { path: 'images/b.jpg', label: 'bee', split: 'val' },
      ],
      hasSplits: true,
      failures: [],
      warnings: [expect.stringContaining('Classes in train that val lacks')],
    });
  });

  it('reads quotes, commas, line breaks, a byte-order mark, CRLF, spaced and upper-case headers', async () => {
    const text =
      '\ufeffLabel, Path \r\n"ant, red","a ""1"".jpg"\r\n\r\nbee 🐝,"line\nbreak.jpg"\r\nbee 🐝,"./sub/../c.jpg"\r\n';
    const { samples, hasSplits } = await scan('set.csv', text);
    expect(hasSplits).toBe(false);
    expect(samples).toEqual([
      { path: 'a "1".jpg', label: 'ant, red', split: 'train' },
      { path: 'c.jpg', label: 'bee 🐝', split: 'train' },
      { path: 'line\nbreak.jpg', label: 'bee 🐝', split: 'train' },
    ]);
  });

  it('turns absolute paths and paths above the file into relative ones', async () => {
    const root = writeTree(folder(), { 'lists/x': '' });
    const file = join(root, 'lists/set.csv');
    writeTree(root, { 'lists/set.csv': `path,label\n${join(root, 'a.jpg')},ant\n../b.jpg,bee\n` });
    const { samples } = await scanDataset(file);
    expect(samples.map(({ path }) => path)).toEqual(['../a.jpg', '../b.jpg']);
  });

  it.each([
    ['a missing label', 'path,label\na.jpg,ant\nb.jpg,\n', /line 3: No label for b\.jpg/],
    ['a missing path', 'path,label\n,ant\n', /line 2: No path/],
    ['no header', 'a.jpg,ant\nb.jpg,bee\n', /line 2: No path \(found the fields a\.jpg, ant\)/],
    [
      'a split that is none',
      'path,label,split\na.jpg,ant,train\nb.jpg,ant,spare\n',
      /line 3: The split is "spare", not one of train, val, test/,
    ],
    ['a path twice', 'path,label\na.jpg,ant\nb.jpg,bee\n./a.jpg,bee\n', /line 4: \.\/a\.jpg stands in line 2 already/],
    [
      'splits for some',
      'path,label,split\na.jpg,ant,train\nb.jpg,bee,\n',
      /a split for 1 of 2 images\. Give it for all, or for none/,
    ],
    ['a line of other length', 'path,label\na.jpg,ant,what\n', /is no CSV: .*line 2/],
    ['an open quote', 'path,label\n"a.jpg,ant\n', /is no CSV: .*Quote/],
  ])('is refused with file, line and reason for %s', async (_what, text, expected) => {
    const message = await refused('set.csv', text);
    expect(message).toMatch(expected);
    expect(message).toContain('set.csv');
  });

  it('is empty where there is a header alone', async () => {
    await rejection(scan('set.csv', 'path,label\n'), 'DATASET_EMPTY');
  });

  it('is held to the same rule of classes as folders', async () => {
    const text = 'path,label,split\na.jpg,ant,train\nb.jpg,wasp,val\n';
    const { message } = await rejection(scan('set.csv', text), 'DATASET_CLASSES');
    expect(message).toMatch(/in val are not in train: wasp\. Train has: ant\./);
  });
});

describe('a data set listed in JSON lines', () => {
  it('gives samples, whatever the blank lines, the byte-order mark and the line ends', async () => {
    const text =
      '\ufeff{"path":"a.jpg","label":"ant","split":"train","note":1}\r\n\r\n{"label":"ant","path":"b \\"2\\"\\n.jpg","split":"test"}';
    expect(await scan('set.jsonl', text)).toMatchObject({
      hasSplits: true,
      samples: [
        { path: 'a.jpg', label: 'ant', split: 'train' },
        { path: 'b "2"\n.jpg', label: 'ant', split: 'test' },
      ],
    });
  });

  it.each([
    ['broken JSON', '{"path":"a.jpg","label":"x"}\n{"path":', /line 2: No JSON \(/],
    ['something else than an object', '{"path":"a.jpg","label":"x"}\n\n3', /line 3: No JSON object/],
    ['a label that is a list', '{"path":"a.jpg","label":["x"]}', /line 1: The label of a\.jpg is \["x"\], not a name/],
    ['a path that is no text', '{"path":["a.jpg"],"label":"x"}', /line 1: No path/],
    ['a split that is none', '{"path":"a.jpg","label":"x","split":"spare"}', /line 1: The split is "spare"/],
  ])('is refused with line and reason for %s', async (_what, text, expected) => {
    expect(await refused('set.jsonl', text)).toMatch(expected);
  });
});
