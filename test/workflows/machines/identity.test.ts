import { copyFileSync, cpSync, existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/workflows/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { bothWays, byParts, promisedFiles, SIX_A_UNIT } from '../../support/machines.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';
import { hasOpenVino, needsOpenVino } from '../../support/openvino.ts';

const folder = temporaryFolders();

describe('a store that is merged of parts is the same, byte by byte, as that of a run on one machine', () => {
  it('of a data set that names no splits, in whatever order the parts are extracted', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(10));
    const { expected, found, merged, planned, parts, shared } = await bothWays(dataset, folder(), SIX_A_UNIT);
    expect(planned).toMatchObject({ images: 20, units: 4, unitSize: 6, parts: 3, finished: 0 });
    expect(parts.map(({ part, units, made }) => ({ part, units, made }))).toEqual([
      { part: 3, units: 1, made: 1 },
      { part: 1, units: 2, made: 2 },
      { part: 2, units: 1, made: 1 },
    ]);
    expect(merged).toMatchObject({ added: 20, there: 0, copies: 0, linkedShards: 4, rewrittenShards: 0, failed: [] });
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    expect(found).toEqual(expected);
    expect(await verify(shared)).toMatchObject({ ok: true, orphans: [] });
    expect(existsSync(join(shared, 'parts'))).toBe(false);
  });

  it('with copies within and across units, a broken file and a unit without any readable image', async () => {
    const files = twoClasses(12);
    for (let i = 0; i < 6; i++) files[`a/p${i}.png`] = 1;
    const dataset = await noiseDataset(join(folder(), 'data'), {
      ...files,
      'b/broken.png': 'no picture',
      'c/0.png': 'no picture',
      'c/1.png': 'nor this, "quoted"',
      'c/2.png': 77,
    });
    copyFileSync(join(dataset, 'a/p10.png'), join(dataset, 'b/z-copy.png'));
    copyFileSync(join(dataset, 'b/p3.png'), join(dataset, 'b/z-copy-2.png'));
    const { expected, found, merged, result, shared } = await bothWays(dataset, folder(), SIX_A_UNIT);
    expect(merged.failed).toEqual(result.failed);
    expect(merged.copies).toBeGreaterThan(0);
    expect(merged.rewrittenShards).toBeGreaterThan(0);
    expect(found).toEqual(expected);
    expect(await verify(shared)).toMatchObject({ ok: true, orphans: [] });
  });

  it('of two cuts with views in float32, where the split is drawn when all is merged', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(6));
    copyFileSync(join(dataset, 'a/p1.png'), join(dataset, 'b/z-copy.png'));
    const options = {
      ...SIX_A_UNIT,
      cut: 'block2_pool:avg,block1_pool',
      dtype: 'float32',
      shardMegabytes: 20,
      views: 1,
      seed: 3,
    } as const;
    const { expected, found, merged, result, shared } = await bothWays(dataset, folder(), options, [1, 0]);
    expect(merged.splits).toEqual(result.splits);
    expect(merged.heldOutViews).toBe(result.splits.val);
    expect(found).toEqual(expected);
    expect(await verify(shared)).toMatchObject({ ok: true, orphans: [] });
  });

  it('of splits that the data set names, with a copy of a training image in val and views', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), {
      ...twoClasses(5, 'Train/'),
      ...twoClasses(3, 'Val/', 50),
    });
    // Before its original in the order of the paths, and behind one that has views.
    copyFileSync(join(dataset, 'Train/b/p4.png'), join(dataset, 'Train/a/p1-copy.png'));
    copyFileSync(join(dataset, 'Train/a/p0.png'), join(dataset, 'Val/b/p9.png'));
    const { expected, found, merged, result } = await bothWays(dataset, folder(), { ...SIX_A_UNIT, views: 1 }, [1, 0]);
    expect(merged).toMatchObject({ heldOutViews: 0, splits: result.splits });
    expect(merged.warnings.join()).toMatch(/of the same content as training images/);
    expect(found).toEqual(expected);
  });

  it('in int8, calibrated and measured once, where it is planned', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(6));
    const options = { ...SIX_A_UNIT, precision: 'int8', minCosine: -1 } as const;
    const { expected, found } = await bothWays(dataset, folder(), options, [1, 0]);
    expect(Object.keys(found).filter((name) => name.startsWith('calibration-'))).toHaveLength(1);
    expect(found).toEqual(expected);
  });

  it('of the maps of block5_pool, by the whole network as it runs by default', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(12));
    copyFileSync(join(dataset, 'a/p3.png'), join(dataset, 'b/z-copy.png'));
    // Twenty maps fill a shard of 1 MiB.
    const { expected, found, merged, planned } = await bothWays(dataset, folder(), { shardMegabytes: 1 }, [1, 0]);
    expect(planned).toMatchObject({ units: 2, unitSize: 20, cut: 'block5_pool' });
    expect(merged).toMatchObject({ added: 24, copies: 1, linkedShards: 1, rewrittenShards: 1 });
    expect(found).toEqual(expected);
  });

  it('in a store that had some of the images before, which no unit extracts again', async () => {
    const some = await noiseDataset(join(folder(), 'data'), twoClasses(3));
    const before = join(folder(), 'before');
    await extract(some, { ...SIX_A_UNIT, store: before });
    await noiseDataset(some, twoClasses(4, '', 100));
    // Known by its content, wherever it lies; and a copy of one that is new.
    renameSync(join(some, 'a/p0.png'), join(some, 'b/moved.png'));
    copyFileSync(join(some, 'a/p100.png'), join(some, 'b/z-copy.png'));
    const [alone, shared] = [join(folder(), 'alone'), join(folder(), 'shared')];
    for (const store of [alone, shared]) cpSync(before, store, { recursive: true });
    await extract(some, { ...SIX_A_UNIT, store: alone });
    const { merged, planned, parts } = await byParts(some, shared, SIX_A_UNIT, [1, 0]);
    expect(planned).toMatchObject({ images: 15, known: 6 });
    const sum = (count: 'known' | 'extracted'): number => parts.reduce((all, part) => all + part[count], 0);
    expect([sum('known'), sum('extracted')]).toEqual([6, 9]);
    expect(merged).toMatchObject({ added: 8, there: 6, thereExtracted: 0, copies: 1 });
    expect(promisedFiles(shared)).toEqual(promisedFiles(alone));
    expect(await verify(shared)).toMatchObject({ ok: true, orphans: [] });
  });

  it('with views in a store that had some of the images before', async () => {
    const some = await noiseDataset(join(folder(), 'data'), twoClasses(3));
    const options = { ...SIX_A_UNIT, views: 1 } as const;
    const before = join(folder(), 'before');
    await extract(some, { ...options, store: before });
    await noiseDataset(some, twoClasses(2, '', 100));
    const [alone, shared] = [join(folder(), 'alone'), join(folder(), 'shared')];
    for (const store of [alone, shared]) cpSync(before, store, { recursive: true });
    await extract(some, { ...options, store: alone });
    const { merged } = await byParts(some, shared, options, [1, 0]);
    // Nothing of the images that were there is made again: neither they nor views, also of those held out.
    expect(merged).toMatchObject({ added: 4, there: 6, thereExtracted: 0 });
    expect(promisedFiles(shared)).toEqual(promisedFiles(alone));
  });

  it.skipIf(!hasOpenVino)(needsOpenVino('with OpenVINO in bf16'), async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(7));
    const options = { ...SIX_A_UNIT, engine: 'openvino', precision: 'bf16' } as const;
    const { expected, found } = await bothWays(dataset, folder(), options, [1, 0]);
    expect(found).toEqual(expected);
  });
});
