import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Progress } from '../../../src/core/listener.ts';
import { check } from '../../../src/workflows/check/check.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { SKETCHES_NAME } from '../../../src/store/format/sketches-file.ts';
import { checkText } from '../../../src/report/check-report.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { scene } from '../../support/scenes.ts';

const SIDE = 160;
const folder = temporaryFolders();
let dataset: string;
let store: string;

const picture = (number: number): Sharp =>
  sharp(scene(number, SIDE), { raw: { width: SIDE, height: SIDE, channels: 3 } });
const again = async (image: Sharp): Promise<Sharp> => sharp(await image.png().toBuffer());

/** Copies in val of the training image of that number: what is done to it, and the file's name. */
const COPIES: readonly (readonly [number, string, (image: Sharp) => Sharp])[] = [
  [0, 'mirrored.png', (image) => image.flop()],
  [1, 'grey.jpg', (image) => image.greyscale().jpeg({ quality: 80 })],
  [2, 'border.jpg', (image) => image.extend({ top: 8, bottom: 8, left: 8, right: 8, background: '#ffffff' })],
  [3, 'cut.webp', (image) => image.extract({ left: 8, top: 8, width: 144, height: 144 })],
  [4, 'small.jpg', (image) => image.resize(70).jpeg({ quality: 30 })],
  [5, 'dark.tif', (image) => image.linear(0.6, 0)],
];
const expected = COPIES.map(([number, name]) => [`Train/one/${number}.png`, `Val/one/${name}`]).sort();

beforeAll(async () => {
  dataset = join(folder(), 'pictures');
  for (const split of ['Train', 'Val'])
    for (const label of ['one', 'other']) mkdirSync(join(dataset, split, label), { recursive: true });
  for (let i = 0; i < 8; i++) {
    await picture(i)
      .png()
      .toFile(join(dataset, `Train/one/${i}.png`));
    await picture(20 + i)
      .png()
      .toFile(join(dataset, `Train/other/${i}.png`));
  }
  for (let i = 0; i < 3; i++) {
    await picture(40 + i)
      .png()
      .toFile(join(dataset, `Val/one/own-${i}.png`));
    await picture(50 + i)
      .png()
      .toFile(join(dataset, `Val/other/own-${i}.png`));
  }
  for (const [number, name, change] of COPIES)
    await (await again(change(await again(picture(number))))).toFile(join(dataset, 'Val/one', name));
  store = join(folder(), 'store');
  await extract(dataset, { store });
});

const pairsOf = (leaks: readonly { readonly train: string; readonly held: string }[]): string[][] =>
  leaks.map(({ train, held }) => [train, held]).sort();

describe('copies that are no equal files', () => {
  it('are told as leaks, mirrored, grey, bordered, cut, small and dark ones, and nothing else is', async () => {
    const result = await check(store);
    expect(pairsOf(result.leaks)).toEqual(expected);
    for (const { kind, correlation, mirrored, held } of result.leaks) {
      expect(kind).toBe('near');
      expect(correlation).toBeGreaterThan(0.9);
      expect(mirrored).toBe(held === 'Val/one/mirrored.png');
    }
    expect(result.accuracy!.all.images - result.accuracy!.clean.images).toBe(COPIES.length);
    expect(checkText(result)).toMatch(
      /"Val\/one\/mirrored\.png"\s+is a copy \(pixels [\d.]+, mirrored\) of\s+"Train\/one\/0\.png"/,
    );
  });

  it('are found without reading an image again, by sketches that are to the byte those made of the files', async () => {
    const fresh = join(folder(), 'fresh');
    await extract(dataset, { store: fresh, cut: 'block2_pool' });
    const made = readFileSync(join(fresh, SKETCHES_NAME));
    const stages = new Set<string>();
    const listener = { progress: ({ stage }: Progress) => void stages.add(stage) };
    await check(fresh, {}, { listener });
    expect([...stages]).not.toContain('reading images');
    expect(readFileSync(join(fresh, SKETCHES_NAME)).equals(made)).toBe(true);
    // A store of an earlier version has none: they are made once.
    rmSync(join(fresh, SKETCHES_NAME));
    await check(fresh, {}, { listener });
    expect([...stages]).toContain('reading images');
    expect(readFileSync(join(fresh, SKETCHES_NAME)).equals(made)).toBe(true);
  });

  it('are found again without the files, by the sketches that the store keeps', async () => {
    renameSync(dataset, `${dataset}-away`);
    try {
      const notes: string[] = [];
      const result = await check(store, {}, { listener: { note: (text) => void notes.push(text) } });
      expect(pairsOf(result.leaks)).toEqual(expected);
      expect([result.unread, notes]).toEqual([0, []]);
      rmSync(join(store, SKETCHES_NAME));
      const blind = await check(store, {}, { listener: { note: (text) => void notes.push(text) } });
      expect(blind.unread).toBe(blind.images);
      expect(notes.join()).toMatch(/28 of 28 images cannot be read any more.*mirrored.*are missed/);
      expect(blind.leaks.map(({ held }) => held)).not.toContain('Val/one/mirrored.png');
      expect(checkText(blind)).toContain('28 images could be compared by features alone');
      expect(checkText(blind)).not.toContain('no leak inflates it');
    } finally {
      renameSync(`${dataset}-away`, dataset);
    }
  });

  it('are found without whole maps, and what is not looked for is said', async () => {
    const pooled = join(folder(), 'pooled');
    await extract(dataset, { store: pooled, cut: 'block5_pool:avg' });
    const result = await check(pooled);
    expect(pairsOf(result.leaks)).toEqual(expected);
    expect([result.nearMissing, result.unread]).toEqual([null, 0]);
    expect(result.alikeMissing).toMatch(/alike.*were not looked for.*without flatten/);
    expect(checkText(result)).toContain(result.alikeMissing!);
  });
});
