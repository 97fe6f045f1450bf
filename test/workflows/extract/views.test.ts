import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExtractOptions } from '../../../src/workflows/extract/options.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { matricesOf } from '../../support/stores.ts';
import { openStore } from '../../../src/store/open.ts';

const folder = temporaryFolders();
/**
 * Two classes of three training images and two to validate on. One image an inference, so that every image is computed
 * alike.
 */
const options = {
  engine: 'onnxruntime',
  precision: 'fp32',
  batch: 1,
  cut: 'block1_pool:avg,block2_pool:avg',
  zoom: 0.5,
} as const satisfies Partial<ExtractOptions>;
let dataset: string;
let store: string;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 3, 2);
  store = join(folder(), 'store');
});

/** The training images in one view, as text. */
async function viewOf(of: string, view: number): Promise<string> {
  const { X } = (await matricesOf(await openStore(of), 'avg', ['train'], view)).get('train')!;
  return Buffer.from(X.data.buffer).toString('base64');
}

describe('views in a store', () => {
  it('are extracted of the training images alone, and once', async () => {
    const first = await extract(dataset, { ...options, store, views: 2 });
    expect(first).toMatchObject({ extracted: 10, views: { count: 2, extracted: 12, reused: 0, seed: 1 } });
    const second = await extract(dataset, { ...options, store, views: 2 });
    expect(second).toMatchObject({
      extracted: 0,
      views: { extracted: 0, reused: 12, extractedBecause: null },
    });
    const { dataset: kept, sets } = await readManifest(store);
    expect(kept.views!.map((view) => view.length)).toEqual([2, 2]);
    const rows = sets.map(({ settings, shards }) => [settings.cut, settings.view?.number ?? 0, shards[0]!.rows]);
    expect(rows).toEqual([
      ['block2_pool', 0, 10],
      ['block1_pool', 0, 10],
      ...[1, 2].flatMap((view) => [
        ['block2_pool', view, 6],
        ['block1_pool', view, 6],
      ]),
    ]);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('differ from the image and from each other, and are the same bytes in another store', async () => {
    const looks = await Promise.all([0, 1, 2].map((view) => viewOf(store, view)));
    expect(new Set(looks).size).toBe(3);
    const third = join(folder(), 'third');
    await extract(dataset, { ...options, store: third, views: 2 });
    expect(await Promise.all([0, 1, 2].map((view) => viewOf(third, view)))).toEqual(looks);
  });

  it('more of them, or of another plan, extract just what is new and say why', async () => {
    const grown = await extract(dataset, { ...options, store, views: 3 });
    expect(grown.views).toMatchObject({ extracted: 6, reused: 12, extractedBecause: null });
    const turned = await extract(dataset, { ...options, store, views: 1, rotation: 30 });
    expect(turned).toMatchObject({ extracted: 0 });
    expect(turned.views).toMatchObject({ extracted: 6, reused: 0 });
    expect(turned.views!.extractedBecause).toContain('view.plan.rotation: 30, not 0');
    const back = await extract(dataset, { ...options, store, views: 3 });
    expect(back.views).toMatchObject({ extracted: 0, reused: 18 });
  });

  it('are trained on, and their effect is reported', async () => {
    const head = await train(store, {
      head: 'logistic',
      views: 3,
      reject: 0,
      out: join(folder(), 'views.st'),
    });
    expect(head.views).toMatchObject({ count: 3 });
    expect(head.views!.interval[0]).toBeLessThanOrEqual(head.views!.difference);
    expect(head.params).toMatchObject({ views: 3 });
    const alone = await train(store, { head: 'logistic', reject: 0, out: join(folder(), 'alone.st') });
    expect(alone.views).toBeUndefined();
    expect(head.views!.accuracyWithout).toBe(alone.accuracy);
    expect(head.logLoss).not.toBe(alone.logLoss);
  });

  it('that are not there are refused with the way to them', async () => {
    const error = await rejection(train(store, { views: 4 }), 'OPTION_INVALID');
    expect(error.message).toMatch(/holds 3 views .* not 4.*--views 4/);
  });

  it('that change nothing are refused before any work', async () => {
    const fresh = join(folder(), 'nothing');
    const still = { zoom: 0, shear: 0, horizontalFlip: false };
    const error = await rejection(extract(dataset, { ...options, ...still, store: fresh, views: 2 }), 'OPTION_INVALID');
    expect(error.message).toMatch(/all the image itself/);
    expect(existsSync(fresh)).toBe(false);
  });

  it('that are damaged are repaired, just they', async () => {
    const before = await Promise.all([0, 1, 2, 3].map((view) => viewOf(store, view)));
    const { sets } = await readManifest(store);
    const view2 = sets.find(
      ({ settings: { cut, view, ...rest } }) =>
        cut === 'block2_pool' && view?.number === 2 && view.plan.rotation === 0 && rest.dtype === 'float16',
    )!;
    const name = view2.shards[0]!.files.avg!.name;
    writeFileSync(join(store, name), 'damaged');
    expect((await verify(store)).damaged.map((file) => file.name)).toEqual([name]);
    const result = await repair(store);
    expect(result).toMatchObject({ lostRows: 6, next: null });
    expect(await Promise.all([0, 1, 2, 3].map((view) => viewOf(store, view)))).toEqual(before);
    expect(await verify(store)).toMatchObject({ ok: true });
  });

  it('of other plans go with gc --other-sets, those of the data set stay', async () => {
    await gc(store, { otherSets: true });
    const { sets } = await readManifest(store);
    expect(sets).toHaveLength(8);
    expect(sets.every(({ settings }) => (settings.view?.plan.rotation ?? 0) === 0)).toBe(true);
    expect(await extract(dataset, { ...options, store, views: 3 })).toMatchObject({
      extracted: 0,
      views: { extracted: 0 },
    });
  });

  it('of an image that changes or goes meanwhile: the image becomes a failure, the rest stays', async () => {
    const changing = await stripedDataset(join(folder(), 'Changing'), 3, 2);
    const kept = join(folder(), 'changing-store');
    const victim = join(changing, 'Train', 'across', '0.png');
    const result = await extract(
      changing,
      { ...options, store: kept, views: 1, verify: true },
      {
        listener: {
          // The first image has left the network: it is not read again before its view is made.
          progress: ({ stage, done }) => {
            if (stage === 'extracting' && done > 0) rmSync(victim, { force: true });
          },
        },
      },
    );
    expect(result.failed.map(({ path }) => join(changing, path))).toEqual([victim]);
    const loaded = await matricesOf(await openStore(kept), 'avg', ['train'], 1);
    expect(loaded.get('train')!.samples).toHaveLength(5);
  });
});
