import { afterEach, describe, expect, it, vi } from 'vitest';
import { relabelled, scanDataset, sourceOf, type Dataset } from '../../../src/extract/dataset/dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';
import { s3Environment, startStorage, type StorageOptions } from '../../support/s3-storage.ts';

const folder = temporaryFolders();
afterEach(() => vi.unstubAllEnvs());

/** Objects of one bucket in a storage, whose contents are their keys; a key that ends in a slash is empty. */
async function stored(keys: readonly string[], options: StorageOptions = {}): Promise<Map<string, Uint8Array>> {
  const objects = new Map(keys.map((key) => [key, Buffer.from(key.endsWith('/') ? '' : key)]));
  const endpoint = await startStorage(objects, options);
  for (const [name, value] of Object.entries(s3Environment(endpoint))) vi.stubEnv(name, value);
  return objects;
}

const lines = ({ samples }: Dataset): string[] => samples.map(({ split, label, path }) => `${split} ${label} ${path}`);

async function contents(dataset: Dataset): Promise<string[]> {
  const source = await sourceOf(dataset);
  const read = await Promise.all(dataset.samples.map(async ({ path }) => (await source.read(path)).toString()));
  await source.close();
  return read;
}

describe('class folders in a bucket', () => {
  it('are laid out as folders are: splits, what is wrapped, deeper and hidden folders, other files', async () => {
    await stored(
      ['Train/ant/1.jpg', 'Train/ant/x/2.png', 'Train/bee/3.webp', 'Val/ant/4.jpg', 'Val/bee/5.jpg']
        .concat(['Train/.cache/6.jpg', 'Train/bee/notes.txt', 'Train/@eaDir/7.jpg', 'store.permafrost/manifest.json'])
        .map((path) => `sets/insects/${path}`),
    );
    const dataset = await scanDataset('s3://b/sets/insects/');
    expect(dataset.root).toBe('s3://b/sets/insects');
    expect(lines(dataset)).toEqual([
      'train ant Train/ant/1.jpg',
      'train ant Train/ant/x/2.png',
      'train bee Train/bee/3.webp',
      'val ant Val/ant/4.jpg',
      'val bee Val/bee/5.jpg',
    ]);
    expect(dataset.warnings.join('\n')).toMatch(/deeper folders[^]*Ignored 1[^]*notes\.txt[^]*Left out 2 hidden/);
    const outer = await scanDataset('s3://b');
    expect(outer.warnings.join('\n')).toContain('The data set lies in sets/insects');
    expect(lines(outer)[0]).toBe('train ant sets/insects/Train/ant/1.jpg');
  });

  it('come in as many pages as there are, and a prefix is whole: its neighbours are left alone', async () => {
    const keys = Array.from({ length: 2500 }, (_, i) => `p/${i % 2 === 0 ? 'even' : 'odd'}/${i}.jpg`);
    await stored([...keys, 'p2/even/1.jpg', 'p']);
    const { samples } = await scanDataset('s3://b/p');
    expect(samples.map(({ path }) => `p/${path}`).sort()).toEqual([...keys].sort());
  });

  it('may have any keys: blanks, plus and percent signs, Unicode, controls, dots, empty parts', async () => {
    const odd = [
      'a b',
      'c+d',
      '%20',
      '100%',
      'ünï',
      '雪',
      '\u{1f600}',
      'x\ty',
      'q"\'<&>',
      'a\\b',
      '?versionId=1',
      '#1',
    ];
    const keys = odd.flatMap((name) => [`ant/${name}.jpg`, `bee/${name}/1.jpg`]);
    const empty = ['/ant/lead.jpg', 'ant//2.jpg', 'bee///x//3.jpg'];
    await stored([...keys, ...empty, 'wasp/', 'ant/'], { page: 7 });
    const dataset = await scanDataset('s3://b');
    expect(dataset.samples.map(({ path }) => path).sort()).toEqual([...keys, ...empty].sort());
    expect(new Set(dataset.samples.map(({ label }) => label))).toEqual(new Set(['ant', 'bee']));
    expect(await contents(dataset)).toEqual(dataset.samples.map(({ path }) => path));
    expect(dataset.warnings.join('\n')).toMatch(/empty parts[^]*\(3 in all\)/);
    expect(dataset.warnings).toContain('Folders without an image, which are no class: wasp.');
  });

  it('are stamped by the listing: no object is asked for', async () => {
    const objects = await stored(['ant/1.jpg', 'bee/1.jpg']);
    const dataset = await scanDataset('s3://b');
    const source = await sourceOf(dataset);
    const before = await source.stamp('ant/1.jpg');
    objects.clear();
    expect(await source.stamp('ant/1.jpg')).toEqual(before);
    const { message } = await rejection(source.read('ant/1.jpg'), 'IMAGE_UNREADABLE');
    expect(message).toContain('s3://b/ant/1.jpg cannot be read');
  });

  it('are none where nothing begins with the prefix, or nothing says what images show', async () => {
    await stored(['flowers/1.jpg', 'flowers/2.jpg']);
    expect((await rejection(scanDataset('s3://b/flower'), 'DATASET_NOT_FOUND')).message).toContain('"flower/"');
    expect((await rejection(scanDataset('s3://b/flowers'), 'DATASET_LAYOUT')).message).toContain('no class folders');
  });
});

describe('a list of images in S3', () => {
  const local = (text: string): string => `${writeTree(folder(), { 'list.csv': text })}/list.csv`;

  it('names them by whole addresses, of one bucket or of several', async () => {
    await stored(['x/1.jpg', 'y/2.jpg']);
    const one = await scanDataset(local('path,label\ns3://bucket/x/1.jpg,ant\ns3://bucket/y/2.jpg,bee\n'));
    expect([one.root, ...lines(one)]).toEqual(['s3://bucket', 'train ant x/1.jpg', 'train bee y/2.jpg']);
    const two = await scanDataset(local('path,label\ns3://bucket/x/1.jpg,ant\ns3://other/y/2.jpg,bee\n'));
    expect([two.root, ...lines(two)]).toEqual(['s3://', 'train ant bucket/x/1.jpg', 'train bee other/y/2.jpg']);
    expect(await contents(two)).toEqual(['x/1.jpg', 'y/2.jpg']);
  });

  it('may lie there itself: paths are relative to it', async () => {
    const objects = await stored(['lists/x/1.jpg', 'lists/y/2 3.jpg']);
    objects.set(
      'lists/all.jsonl',
      Buffer.from('{"path":"x/1.jpg","label":"ant"}\n{"path":"./y/2 3.jpg","label":"bee"}\n'),
    );
    const dataset = await scanDataset('s3://b/lists/all.jsonl');
    expect([dataset.root, ...lines(dataset)]).toEqual(['s3://b/lists', 'train ant x/1.jpg', 'train bee y/2 3.jpg']);
    expect(await contents(dataset)).toEqual(['lists/x/1.jpg', 'lists/y/2 3.jpg']);
    objects.set('lists/all.csv', Buffer.from('path,label\nx/1.jpg,ant\n../z/3.jpg,bee\n'));
    expect(lines(await scanDataset('s3://b/lists/all.csv'))).toEqual(['train ant lists/x/1.jpg', 'train bee z/3.jpg']);
  });

  it.each([
    ['s3://b/1.jpg,ant\n2.jpg,bee\n', /line 3: 2\.jpg is a file of this machine/],
    ['1.jpg,ant\ns3://b/2.jpg,bee\n', /line 3: s3:\/\/b\/2\.jpg lies in S3/],
    ['https://example.org/1.jpg,ant\n', /line 2: https:.* is an address.*img2dataset/],
    ['s3://b,ant\n', /line 2: s3:\/\/b names a bucket and no object/],
    ['s3://b b/1.jpg,ant\n', /line 2: .*no address of S3/],
  ])('is refused where it is mixed or names no object: %j', async (rows, told) => {
    expect((await rejection(scanDataset(local(`path,label\n${rows}`)), 'DATASET_LAYOUT')).message).toMatch(told);
  });

  it('gives a data set in S3 other labels, by paths below it or whole addresses', async () => {
    await stored(['p/ant/1.jpg', 'p/ant/2.jpg', 'p/bee/3.jpg']);
    const list = local('path,label\nant/1.jpg,wasp\ns3://b/p/ant/2.jpg,wasp\ns3://b/q/9.jpg,wasp\n');
    const { samples, warnings } = await relabelled(await scanDataset('s3://b/p'), list);
    expect(samples.map(({ label }) => label)).toEqual(['wasp', 'wasp', 'bee']);
    expect(warnings.join('\n')).toContain('names 1 images that the data set has not');
  });
});
