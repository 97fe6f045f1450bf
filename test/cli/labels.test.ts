import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../src/results/answer-results.ts';
import type { HeadResult } from '../../src/results/head-result.ts';
import type { SweepResult } from '../../src/results/sweep-result.ts';
import { readHead } from '../../src/store/read/heads/head-file.ts';
import { document, permafrost, type Finished } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = temporaryFolders();
/** Less than the maps of this store take in memory, more than a shard. */
const BOUND = '360MB';
let root: string;
let dataset: string;
let store: string;
/** Extracted with the labels in its place: what `train --labels` must come to. */
let peer: string;
/** A list that swaps the two classes everywhere. */
let swapped: string;
let pictures: { path: string; label: string; split: string }[];

const list = (name: string, rows: readonly (readonly string[])[], header = 'path,label,split'): string => {
  const file = join(root, name);
  writeFileSync(file, [header, ...rows.map((row) => row.join(',')), ''].join('\n'));
  return file;
};
const other = (label: string): string => (label === 'across' ? 'down' : 'across');
const train = (of: string, ...flags: string[]): Promise<Finished> => permafrost(['train', of, '--json', ...flags]);
/** Every file of a store but its heads, with its bytes. */
/** The store's files, but for its heads and the count of looks at the validation images. */
const content = (of: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(of, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('heads') && !entry.name.startsWith('looks.jsonl'))
      .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name)).toString('base64')]),
  );

beforeAll(async () => {
  root = folder();
  dataset = await stripedDataset(join(root, 'Stripes'), 4, 2);
  pictures = ['Train', 'Val'].flatMap((split) =>
    ['across', 'down'].flatMap((label) =>
      readdirSync(join(dataset, split, label)).map((name) => ({
        path: `${split}/${label}/${name}`,
        label,
        split: split.toLowerCase(),
      })),
    ),
  );
  swapped = list(
    'swapped.csv',
    pictures.map(({ path, label, split }) => [path, other(label), split]),
  );
  [store, peer] = [join(root, 'store'), join(root, 'peer')];
  // An early cut has wide maps: 401,408 numbers an image, one image a shard.
  const settings = ['--cut', 'block2_pool', '--engine', 'onnxruntime', '--shard-megabytes', '1'];
  for (const flags of [
    ['--store', store, '--views', '1', '--zoom', '0.2'],
    ['--store', peer, '--labels', swapped],
  ]) {
    const done = await permafrost(['extract', dataset, '--quiet', ...settings, ...flags]);
    expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' });
  }
});

describe('train with a list of labels', () => {
  it('gives the head of a store that was extracted with that list, says so, and leaves the store as it is', async () => {
    const before = content(store);
    const plain = document<HeadResult>(await train(store));
    const finished = await train(store, '--labels', swapped);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toContain(`${swapped} gives 12 of 12 images another label or split.`);
    const found = document<HeadResult>(finished);
    expect(found.relabelled).toBe(12);
    expect(content(store)).toEqual(before);
    // Beside the head of the store's own labels, not in its place.
    expect(found.file).not.toBe(plain.file);
    expect(plain.relabelled).toBeUndefined();

    const [mine, theirs] = [await readHead(found.file!), await readHead(document<HeadResult>(await train(peer)).file!)];
    expect([...mine.tensors]).toEqual([...theirs.tensors]);
    expect([...mine.tensors]).not.toEqual([...(await readHead(plain.file!)).tensors]);
    const { relabelled, ...rest } = mine.document.trained;
    expect(rest).toEqual(theirs.document.trained);
    expect(relabelled).toHaveLength(12);
    expect(relabelled).toContainEqual({ path: 'Val/down/1.png', label: 'across', split: 'val' });

    const { predictions } = document<PredictResult>(
      await permafrost(['predict', found.file!, join(dataset, 'Val/down/0.png'), '--json', '--quiet']),
    );
    expect(predictions[0]!.guess).toBe('across');
    // The nearest training images stand under the labels that the head was trained on.
    const nearest = predictions[0]!.neighbors[0]!;
    expect(nearest).toMatchObject({ label: other(nearest.path.split('/')[1]!), split: 'train' });
  });

  it('tells in its table how many images counted otherwise, and nothing of it without a list', async () => {
    const out = join(root, 'told.safetensors');
    const told = await permafrost(['train', store, '--labels', swapped, '--out', out]);
    expect(told.stdout).toContain("12 images counted under another label or split than the store's.");
    const plain = await permafrost(['train', store, '--out', out]);
    expect(plain.stdout).not.toContain('counted under');
  });

  it('takes its splits too, and names that are not in the store are told', async () => {
    const file = list('moved.csv', [
      ['Val/down/0.png', 'down', 'train'],
      ['Train/down/0.png', 'down', 'train'],
      ['gone.png', 'down', 'val'],
    ]);
    const finished = await train(store, '--labels', file);
    expect(document<HeadResult>(finished)).toMatchObject({ trained: 9, validated: 3, relabelled: 1 });
    expect(finished.stderr).toContain(`${file} names 1 images that the data set has not.`);
    expect(finished.stderr).toContain(`${file} gives 1 of 12 images another label or split.`);
  });

  it('is the head of the store where the list agrees with it', async () => {
    const same = list(
      'same.csv',
      pictures.map(({ path, label, split }) => [path, label, split]),
    );
    const [agreed, plain] = [
      document<HeadResult>(await train(store, '--labels', same)),
      document<HeadResult>(await train(store)),
    ];
    expect(agreed.relabelled).toBe(0);
    expect(agreed.file).toBe(plain.file);
  });

  it.each([
    ['names no image of the store', [['down/0.png', 'down', 'val']], 'DATASET_LAYOUT'],
    ['has a class in val alone', [['Val/down/0.png', 'wasp', 'val']], 'DATASET_CLASSES'],
    ['has a line without a label', [['Val/down/0.png', '', 'val']], 'DATASET_LAYOUT'],
    ['is not there', undefined, 'DATASET_NOT_FOUND'],
  ])('refuses a list that %s, in the words of extract', async (_what, rows, code) => {
    const file = rows === undefined ? join(root, 'nowhere.csv') : list('bad.csv', rows);
    const refused = await train(store, '--labels', file);
    const extracted = await permafrost(['extract', dataset, '--labels', file, '--json', '--store', store]);
    expect(refused.code).toBe(1);
    expect(document(refused)).toMatchObject({ error: { code } });
    expect(refused.stdout).toBe(extracted.stdout);
  });

  it('trains on the list in streams; what it left in the store is told apart by label, and is found again', async () => {
    const out = join(root, 'streamed', 'knn.safetensors');
    mkdirSync(join(root, 'streamed'));
    const flags = ['--head', 'knn', '--pooling', 'flatten', '--memory', BOUND, '--n-neighbors', '3'];
    const finished = await train(store, ...flags, '--labels', swapped, '--out', out);
    expect(finished.stderr).toContain('read in streams');
    const { document: head } = await readHead(out);
    const peers = await readHead(document<HeadResult>(await train(peer, ...flags)).file!);
    const own = await readHead(document<HeadResult>(await train(store, ...flags)).file!);
    expect(head.trained.rows).toMatch(/^[0-9a-f]{64}$/);
    expect(head.trained.rows).toBe(peers.document.trained.rows);
    expect(head.trained.rows).not.toBe(own.document.trained.rows);
    const { predictions } = document<PredictResult>(
      await permafrost(['predict', out, join(dataset, 'Val/across/0.png'), '--json', '--quiet']),
    );
    expect(predictions[0]!.guess).toBe('down');
  });

  it('trains on views under the list, and refuses one that trains on images which have none', async () => {
    const viewed = document<HeadResult>(await train(store, '--views', '1', '--labels', swapped));
    expect(viewed).toMatchObject({ relabelled: 12, trained: 8, views: { count: 1 } });
    const moved = list('joined.csv', [['Val/down/0.png', 'down', 'train']]);
    const refused = await train(store, '--views', '1', '--labels', moved);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/moves 1 images into train .* no views.*\[OPTION_INVALID\]/);
  });
});

describe('sweep with a list of labels', () => {
  it('sweep ranks and saves under the list', async () => {
    const finished = await permafrost([
      ...['sweep', store, '--labels', swapped, '--save', '--json', '--folds', '2', '--workers', '1'],
      ...['--head', 'logistic', '--C', '1,10', '--normalize', 'l2', '--pca', '0'],
    ]);
    expect(finished.code).toBe(0);
    const { best, computed } = document<SweepResult>(finished);
    expect({ computed, relabelled: best.relabelled }).toEqual({ computed: 2, relabelled: 12 });
    const { document: head, tensors } = await readHead(best.file!);
    const c = String(best.params.C);
    const alone = document<HeadResult>(await train(store, '--labels', swapped, '--C', c));
    expect([...tensors]).toEqual([...(await readHead(alone.file!)).tensors]);
    expect(head.trained.relabelled).toHaveLength(12);
  });
});
