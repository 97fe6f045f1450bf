import { copyFileSync, cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/open.ts';
import { splitOrigin } from '../../../src/store/read/samples.ts';
import { commitDataset, openForWriting } from '../../../src/store/write/store.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';

const folder = temporaryFolders();
const FAST = { cut: 'block1_pool:avg', engine: 'onnxruntime' } as const;

/** Extracts into `store`; what was said, and the split of each path. */
async function drawn(dataset: string, store: string, options: Record<string, unknown> = {}) {
  const result = await extract(dataset, { ...FAST, ...options, store });
  const samples = [...(await (await openStore(store)).samples())];
  return {
    result,
    warnings: result.warnings.join('\n'),
    splits: Object.fromEntries(samples.map(({ path, split }) => [path, split])),
    samples,
  };
}

describe('what permafrost holds out', () => {
  it('moves no image when others are added or go, in the same store or in another one', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(12));
    const store = join(folder(), 'store');
    const before = await drawn(dataset, store);
    expect(before.warnings).toMatch(/names no validation images: \d+ of 24 are held out by the content of their files/);
    expect(new Set(Object.values(before.splits))).toEqual(new Set(['train', 'val']));
    await noiseDataset(dataset, twoClasses(3, '', 100));
    rmSync(join(dataset, 'a/p0.png'));
    const after = await drawn(dataset, store);
    expect(after.warnings).toMatch(/as the store holds them: 23 images kept their side, 6 were drawn/);
    const fresh = await drawn(dataset, join(folder(), 'fresh'));
    for (const [path, split] of Object.entries(before.splits)) {
      if (path === 'a/p0.png') continue;
      expect([after.splits[path], fresh.splits[path]]).toEqual([split, split]);
    }
    expect(fresh.splits).toEqual(after.splits);
  });

  it('follows the content: copies, also in another class, and renamed files stay on their side', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(10));
    for (const name of readdirSync(join(dataset, 'a')))
      copyFileSync(join(dataset, 'a', name), join(dataset, 'a', name.replace('.png', ' (1).png')));
    copyFileSync(join(dataset, 'a/p3.png'), join(dataset, 'b/other.png'));
    const { samples } = await drawn(dataset, join(folder(), 'store'));
    const sides = new Map<string, Set<string>>();
    for (const { sha256, split } of samples) sides.set(sha256, (sides.get(sha256) ?? new Set()).add(split));
    expect(sides.size).toBe(20);
    for (const side of sides.values()) expect(side.size).toBe(1);

    const store = join(folder(), 'renamed');
    const before = await drawn(dataset, store);
    renameSync(join(dataset, 'b'), join(dataset, 'c'));
    const after = await drawn(dataset, store);
    for (const { path, split } of before.samples) expect(after.splits[path.replace(/^b/, 'c')]).toBe(split);
    expect(after.result.extracted).toBe(0);
  });

  it('is kept by the store whatever the seed, until a new draw is asked for, which says what moved', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(12));
    const store = join(folder(), 'store');
    const before = await drawn(dataset, store);
    const same = await drawn(dataset, store, { seed: 2, valFraction: 0.5 });
    expect(same.splits).toEqual(before.splits);
    expect(same.warnings).toMatch(
      /keeps its split, drawn with seed 1 and part 0\.25: --seed 2 and --val-fraction 0\.5 do not change it\. --resplit/,
    );
    const anew = await drawn(dataset, store, { seed: 2, valFraction: 0.5, resplit: true });
    const moved = Object.keys(anew.splits).filter((path) => anew.splits[path] !== before.splits[path]).length;
    expect(moved).toBeGreaterThan(0);
    expect(anew.warnings).toContain(
      `drawn anew by the content of their files (seed 2, part 0.5): ${moved} of 24 images`,
    );
    expect((await drawn(dataset, join(folder(), 'fresh'), { seed: 2, valFraction: 0.5 })).splits).toEqual(anew.splits);
    const opened = await openStore(store);
    expect(await splitOrigin(opened.files, opened.manifest)).toEqual({ by: 'content', seed: 2, valFraction: 0.5 });
    // What comes later is drawn as the rest was.
    await noiseDataset(dataset, twoClasses(12, '', 100));
    expect((await drawn(dataset, store)).splits).toEqual(
      (await drawn(dataset, join(folder(), 'again'), { seed: 2, valFraction: 0.5 })).splits,
    );
  });

  it('is kept of a store that an older version drew, but for copies that it parted', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(8));
    copyFileSync(join(dataset, 'a/p0.png'), join(dataset, 'a/p0 (1).png'));
    const store = join(folder(), 'store');
    const { samples } = await drawn(dataset, store);
    const odd = samples.map((sample) => ({
      ...sample,
      split: /p[0-2]\.png/.test(sample.path) ? ('val' as const) : ('train' as const),
    }));
    const old = await openForWriting(store, '0.0.0');
    const [set] = old.manifest.sets;
    await commitDataset(old, { root: dataset, sets: [{ set: set!, poolings: ['avg'] }], samples: odd, failures: [] });
    const after = await drawn(dataset, store);
    for (const { path, split } of odd) if (!path.startsWith('a/p0')) expect(after.splits[path]).toBe(split);
    expect(after.splits['a/p0.png']).toBe(after.splits['a/p0 (1).png']);
    expect(after.warnings).toMatch(/An older version held out copies of training images: 2 files of equal content/);
  });

  it('is not asked for anew where the data set names its splits', async () => {
    const files = { ...twoClasses(2, 'Train/'), ...twoClasses(1, 'Val/', 50) };
    const dataset = await noiseDataset(join(folder(), 'data'), files);
    const { message } = await rejection(
      extract(dataset, { ...FAST, resplit: true, store: join(folder(), 's') }),
      'OPTION_INVALID',
    );
    expect(message).toMatch(/--resplit .*data names its own splits/);
  });

  it('is held out of the views too, and survives a repair', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(8));
    const store = join(folder(), 'store');
    const { splits, result } = await drawn(dataset, store, { views: 1, zoom: 0.2 });
    const trained = Object.values(splits).filter((split) => split === 'train').length;
    expect(result.views).toMatchObject({ count: 1, extracted: trained });
    const opened = await openStore(store);
    const shard = opened.manifest.sets[0]!.shards[0]!.files.avg!.name;
    rmSync(join(store, shard));
    expect((await repair(store)).extracted).toBeGreaterThan(0);
    expect((await drawn(dataset, store, { views: 1, zoom: 0.2 })).warnings).toMatch(/16 images kept their side/);
    expect(await train(store, { views: 1, reject: 0 })).toMatchObject({ trained, validated: 16 - trained });
  });

  it('keeps classes of one image in train, and of two holds out one', async () => {
    const files = { ...twoClasses(2), 'c/one.png': 77, 'd/one.png': 78, 'd/same.png': 78 };
    for (const seed of [1, 2, 3]) {
      const dataset = await noiseDataset(join(folder(), 'data'), files);
      const { samples } = await drawn(dataset, join(folder(), 'store'), { seed });
      const sides = (label: string) =>
        samples
          .filter((one) => one.label === label)
          .map(({ split }) => split)
          .sort();
      expect(sides('a')).toEqual(['train', 'val']);
      expect(sides('b')).toEqual(['train', 'val']);
      expect(sides('c')).toEqual(['train']);
      expect(sides('d')).toEqual(['train', 'train']);
    }
  });
});

describe('the store of another data set', () => {
  const inFolder = async (where: string, work: () => Promise<unknown>): Promise<unknown> => {
    const before = process.cwd();
    process.chdir(where);
    return work().finally(() => process.chdir(before));
  };

  it('is not taken unasked, and says which it is and what to do', async () => {
    const [home, one, two] = [folder(), folder(), folder()];
    const first = await noiseDataset(join(one, 'data'), twoClasses(4));
    const second = await noiseDataset(join(two, 'data'), twoClasses(4, '', 500));
    await inFolder(home, async () => {
      await extract(first, FAST);
      const { message } = await rejection(extract(second, FAST), 'STORE_DATASET');
      for (const part of [first, second, '--store', 'data-2.permafrost']) expect(message).toContain(part);
      expect((await openStore(join(home, 'data.permafrost'))).manifest.dataset.root).toBe(first);
      const notes: string[] = [];
      const given = { ...FAST, store: join(home, 'data.permafrost') };
      await extract(second, given, { listener: { note: (text) => notes.push(text) } });
      expect(notes.join()).toContain('held another data set');
    });
  });

  it('is that of a data set which was moved, grew, shrank or was sorted anew', async () => {
    const [home, one] = [folder(), folder()];
    const dataset = await noiseDataset(join(one, 'data'), twoClasses(6));
    await inFolder(home, async () => {
      await extract(dataset, FAST);
      const moved = join(folder(), 'data');
      mkdirSync(moved);
      cpSync(dataset, moved, { recursive: true });
      expect(await extract(moved, FAST)).toMatchObject({ extracted: 0, reused: 12 });
      const grown = await noiseDataset(join(folder(), 'data'), { ...twoClasses(6), ...twoClasses(20, '', 300) });
      expect(await extract(grown, FAST)).toMatchObject({ extracted: 40, reused: 12 });
      const shrunk = await noiseDataset(join(folder(), 'data'), twoClasses(2));
      expect(await extract(shrunk, FAST)).toMatchObject({ extracted: 0 });
      const sorted = join(folder(), 'data');
      mkdirSync(join(sorted, 'Train'), { recursive: true });
      cpSync(shrunk, join(sorted, 'Train'), { recursive: true });
      expect(await extract(sorted, FAST)).toMatchObject({ extracted: 0 });
    });
  });
});
