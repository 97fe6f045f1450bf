import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DECODER } from '../../../src/extract/image/formats/decoder.ts';
import { readManifest, writeManifest } from '../../../src/store/format/manifest-file.ts';
import { writeSeal } from '../../../src/store/write/shard-files.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';
import { contentsOfSets } from '../../support/stored-sets.ts';
import { texture, toSharp } from '../../support/pictures.ts';

const folder = temporaryFolders();
const FAST = { cut: 'block1_pool:avg', engine: 'onnxruntime' } as const;

/** Makes all shards of a store say that the first decoder read their images. */
async function aged(store: string): Promise<void> {
  const manifest = await readManifest(store);
  for (const set of manifest.sets) {
    for (const shard of set.shards) {
      expect(shard.decoder).toBe(DECODER);
      delete shard.decoder;
      await writeSeal(store, set, shard);
    }
  }
  await writeManifest({ path: store, manifest });
}

describe('features that an older decoder read', () => {
  it('are extracted again where it read the kind of file otherwise, and only there', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(4));
    const store = join(folder(), 'store');
    for (const [i, label] of ['a', 'b'].entries())
      writeFileSync(
        join(dataset, label, 'scan.tif'),
        await toSharp(texture(64, 48, i + 1))
          .tiff()
          .toBuffer(),
      );
    const first = await extract(dataset, { ...FAST, store });
    expect([first.extracted, first.extractedBecause]).toEqual([10, null]);
    const features = await contentsOfSets(store);

    await aged(store);
    const second = await extract(dataset, { ...FAST, store });
    expect([second.extracted, second.reused]).toEqual([2, 8]);
    expect(second.extractedBecause).toContain('decoder: 2 files of a kind that this version decodes otherwise');
    const third = await extract(dataset, { ...FAST, store });
    expect([third.extracted, third.reused]).toEqual([0, 10]);
    expect(await contentsOfSets(store)).toEqual(features);

    // What the older decoder read of them goes, the rest stays as it is.
    const collected = await gc(store);
    expect(collected.droppedRows).toBe(2);
    expect((await verify(store)).damaged).toEqual([]);
    expect(await contentsOfSets(store)).toEqual(features);
    expect((await extract(dataset, { ...FAST, store })).extracted).toBe(0);
  });

  it('become failures where the file is refused now', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(4));
    const store = join(folder(), 'store');
    const whole = await toSharp(texture(64, 48, 1))
      .tiff({ compression: 'none' })
      .toBuffer();
    writeFileSync(join(dataset, 'a/scan.tif'), whole);
    await extract(dataset, { ...FAST, store });
    await aged(store);
    writeFileSync(join(dataset, 'a/scan.tif'), whole.subarray(0, whole.length / 2));
    const { failed, reused } = await extract(dataset, { ...FAST, store });
    expect([failed.map(({ path, code }) => [path, code]), reused]).toEqual([[['a/scan.tif', 'IMAGE_UNDECODABLE']], 8]);
  });
});
