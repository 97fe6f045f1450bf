import { copyFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { check } from '../../../src/workflows/check/check.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { checkText } from '../../../src/report/check-report.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const folder = temporaryFolders();
let store: string;

beforeAll(async () => {
  const dataset = await stripedDataset(folder(), 8, 4);
  const at = (path: string): string => join(dataset, path);
  copyFileSync(at('Train/across/0.png'), at('Val/across/copy.png'));
  copyFileSync(at('Train/across/1.png'), at('Val/down/other label.png'));
  await sharp(at('Train/down/2.png')).jpeg({ quality: 80 }).toFile(at('Val/down/again.jpg'));
  renameSync(at('Train/down/5.png'), at('Train/across/swapped.png'));
  store = join(folder(), 'store');
  await extract(dataset, { store });
});

describe('check', () => {
  it('finds equal files, re-encoded ones, what leaks, swapped labels and small classes', async () => {
    const result = await check(store);
    expect(result.images).toBe(27);
    expect(result.exact.map((paths) => [...paths].sort())).toEqual([
      ['Train/across/0.png', 'Val/across/copy.png'],
      ['Train/across/1.png', 'Val/down/other label.png'],
    ]);
    expect(result.near.map(({ a, b }) => [a, b].sort())).toContainEqual(['Train/down/2.png', 'Val/down/again.jpg']);
    expect(result.leaks).toContainEqual({
      train: 'Train/across/1.png',
      held: 'Val/down/other label.png',
      split: 'val',
      kind: 'exact',
      cosine: 1,
      correlation: 1,
      mirrored: false,
      sameLabel: false,
    });
    expect(result.leakedImages).toBeGreaterThanOrEqual(3);
    expect(result.accuracy!.all.images).toBe(11);
    expect(result.accuracy!.clean.images).toBe(11 - result.leakedImages);
    const suspects = result.suspects.map(({ path }) => path);
    expect(suspects).toContain('Train/across/swapped.png');
    expect(result.smallClasses.map(({ label, held }) => [label, held])).toEqual([
      ['across', 5],
      ['down', 6],
    ]);
  });

  it('doubts the labels of a list where one is given, not those of the store', async () => {
    const list = join(folder(), 'labels.csv');
    writeFileSync(list, 'path,label\nTrain/across/swapped.png,down\nTrain/down/0.png,across\n');
    const suspects = async (options: { labels?: string }): Promise<string[]> =>
      (await check(store, options)).suspects.map(({ path, suggested }) => `${path}: ${suggested}`);
    const stored = await suspects({});
    expect(stored).toContain('Train/across/swapped.png: down');
    expect(stored).not.toContain('Train/down/0.png: down');
    const listed = await suspects({ labels: list });
    expect(listed).toContain('Train/down/0.png: down');
    expect(listed).not.toContain('Train/across/swapped.png: down');
  });

  it('tells it so that a person can act on it', async () => {
    const text = checkText(await check(store));
    expect(text).toContain('"Val/down/other label.png"  is equal to  "Train/across/1.png"  UNDER ANOTHER LABEL');
    expect(text).toMatch(/"Train\/across\/swapped\.png"\s+across\s+down/);
    expect(text).toMatch(/without the \d+ that are in train too/);
  });
});
