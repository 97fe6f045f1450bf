import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/workflows/care/verify.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { bothWays, SIX_A_UNIT } from '../../support/machines.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';

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
});
