import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { frozenNetwork } from '../../../src/workflows/network/frozen-network.ts';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FeaturePart, Pooling } from '../../../src/core/sample.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { parseCuts } from '../../../src/workflows/network/cuts.ts';
import { openDataset } from '../../../src/workflows/network/dataset.ts';
import { EXTRACT_DEFAULTS } from '../../../src/workflows/extract/options.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { extractInto } from '../../../src/workflows/extract/extract-into.ts';
import { makeExtractor } from '../../../src/workflows/network/extractor.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { openMade, matricesOf } from '../../support/stores.ts';
import { openStore } from '../../../src/store/open.ts';

const folder = temporaryFolders();
/** One image an inference, so that every image is computed alike, whatever else is extracted. */
const options = { engine: 'onnxruntime', precision: 'fp32', batch: 1 } as const;
let dataset: string;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 3, 2);
});

/** One part of a store's features as bytes. */
async function bytesOf(store: string, part: FeaturePart | Pooling): Promise<Record<string, string>> {
  const parts = typeof part === 'string' ? part : [part];
  const loaded = await matricesOf(await openStore(store), parts, ['train', 'val']);
  return Object.fromEntries(
    [...loaded].map(([split, { X }]) => [split, Buffer.from(X.data.buffer).toString('base64')]),
  );
}

/** Poolings of each shard, by cut. */
async function shardsOf(store: string): Promise<Record<string, string[]>> {
  const { sets } = await readManifest(store);
  return Object.fromEntries(
    sets.map(({ settings, shards }) => [
      settings.cut,
      shards.map(({ rows, files }) => `${rows}: ${Object.keys(files).slice(1).join('+')}`),
    ]),
  );
}

describe('several cuts from one pass', () => {
  let store: string;
  beforeAll(async () => {
    store = join(folder(), 'several');
    const cut = 'block1_pool:avg+max,block3_pool,block2_pool:max';
    const result = await extract(dataset, { ...options, store, cut });
    expect(result).toMatchObject({
      extracted: 10,
      reused: 0,
      cut: 'block3_pool,block2_pool:max,block1_pool:avg+max',
      extractedBecause: null,
    });
  });

  it('equal each cut extracted alone, to the byte', async () => {
    const alone = {
      block3_pool: ['flatten', 'avg', 'max'],
      block2_pool: ['max'],
      block1_pool: ['avg', 'max'],
    } as const;
    for (const [cut, poolings] of Object.entries(alone)) {
      const single = join(folder(), 'single');
      await extract(dataset, { ...options, store: single, cut });
      for (const pooling of poolings) {
        expect(await bytesOf(store, { cut, pooling })).toEqual(await bytesOf(single, pooling));
      }
    }
  });

  it('keep of each cut the poolings that were asked for and no other; the deepest is the primary one', async () => {
    expect(await shardsOf(store)).toEqual({
      block3_pool: ['10: flatten+avg+max'],
      block2_pool: ['10: max'],
      block1_pool: ['10: avg+max'],
    });
    expect(await bytesOf(store, 'avg')).toEqual(await bytesOf(store, { cut: 'block3_pool', pooling: 'avg' }));
    expect(readdirSync(store).filter((name) => name.includes('flatten'))).toHaveLength(1);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('are loaded side by side, in the order in which they are named', async () => {
    const parts = [
      { cut: 'block1_pool', pooling: 'avg' },
      { cut: 'block3_pool', pooling: 'max' },
    ] as const;
    const manifest = await readManifest(store);
    const load = async (part: readonly FeaturePart[]) =>
      (await matricesOf(openMade({ store, manifest }), part, ['val'])).get('val')!;
    const both = await load(parts);
    const [first, second] = [await load([parts[0]]), await load([parts[1]])];
    expect([first.X.cols, second.X.cols, both.X.cols]).toEqual([64, 256, 320]);
    for (const [i, { path }] of both.samples.entries()) {
      expect(path).toBe(first.samples[i]!.path);
      expect(both.X.data.slice(i * 320, i * 320 + 64)).toEqual(first.X.data.slice(i * 64, i * 64 + 64));
      expect(both.X.data.slice(i * 320 + 64, (i + 1) * 320)).toEqual(second.X.data.slice(i * 256, (i + 1) * 256));
    }
  });

  it('refuse a part that was not extracted, naming what there is and the command that adds it', async () => {
    const manifest = await readManifest(store);
    for (const part of [
      { cut: 'block2_pool', pooling: 'avg' },
      { cut: 'block4_pool', pooling: 'avg' },
    ] as const) {
      const { message } = await rejection(matricesOf(openMade({ store, manifest }), [part], ['val']), 'OPTION_INVALID');
      expect(message).toContain(
        `was extracted at block3_pool:flatten+avg+max, block2_pool:max, block1_pool:avg+max, so it has no ${part.cut}:avg`,
      );
    }
  });
});

describe('a store of several cuts that was damaged', () => {
  it('is repaired in one pass: each set gets back what it lost, to the byte', async () => {
    const store = join(folder(), 'damaged');
    const cut = 'block2_pool,block1_pool:max';
    await extract(dataset, { ...options, store, cut });
    const parts = ['flatten', 'avg', 'max', { cut: 'block1_pool', pooling: 'max' }] as const;
    const before = await Promise.all(parts.map((part) => bytesOf(store, part)));
    for (const pattern of [/^block1_pool-.*-max\.arrow$/, /^block2_pool-.*-flatten\.arrow$/]) {
      const name = readdirSync(store).find((file) => pattern.test(file))!;
      const bytes = readFileSync(join(store, name));
      bytes[400]! ^= 4;
      writeFileSync(join(store, name), bytes);
    }
    const { damaged, lostRows, extracted, next } = await repair(store);
    expect({ damaged: damaged.length, lostRows, extracted, next }).toEqual({
      damaged: 2,
      lostRows: 20,
      extracted: 10,
      next: null,
    });
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
    expect(await Promise.all(parts.map((part) => bytesOf(store, part)))).toEqual(before);
  });

  it('keeps every set of the data set when gc removes the others, and each pooling of the images that stay', async () => {
    const store = join(folder(), 'gc');
    await extract(dataset, { ...options, store, cut: 'block3_pool:avg' });
    await extract(dataset, { ...options, store, cut: 'block2_pool:avg' });
    await extract(dataset, { ...options, store, cut: 'block2_pool:avg+max,block1_pool:max' });
    const fewer = await stripedDataset(join(folder(), 'Fewer'), 3, 2);
    rmSync(join(fewer, 'Train/down/2.png'));
    await extract(fewer, { ...options, store, cut: 'block2_pool:avg+max,block1_pool:max' });
    const parts = ['avg', 'max', { cut: 'block1_pool', pooling: 'max' }] as const;
    const before = await Promise.all(parts.map((part) => bytesOf(store, part)));
    expect(await gc(store, { otherSets: true })).toMatchObject({ droppedSets: 1, droppedRows: 13 });
    expect(await shardsOf(store)).toEqual({ block2_pool: ['9: avg', '9: max'], block1_pool: ['9: max'] });
    expect(await Promise.all(parts.map((part) => bytesOf(store, part)))).toEqual(before);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });
});

describe('the text of --cut', () => {
  it.each([
    ['block5_pol', /no cut layer "block5_pol".*did you mean "block5_pool"/],
    ['block5_pool:mean', /no pooling "mean".*Choose of flatten, avg, max/],
    ['block5_pool:avg+avg', /names a pooling twice/],
    ['block5_pool:avg,block5_pool:max', /names block5_pool twice.*joined by \+/],
    ['block5_pool:avg:max', /takes cut layers with their poolings/],
    ['block5_pool,', /no cut layer ""/],
  ])('%j is refused before any work', async (cut, words) => {
    const { message } = await rejection(extract('nowhere', { ...options, cut }), 'OPTION_INVALID');
    expect(message).toMatch(words);
  });
});

describe('what is added to a store later', () => {
  it('costs a network that is no deeper than what each image lacks', async () => {
    const store = join(folder(), 'shallow');
    const few = await stripedDataset(join(folder(), 'Few'), 3, 2);
    await extract(few, { ...options, store, cut: 'block3_pool:avg,block2_pool:avg' });
    const other = await stripedDataset(join(folder(), 'Others'), 8, 0);
    for (const i of [6, 7]) copyFileSync(join(other, `Train/down/${i}.png`), join(few, `Train/across/new-${i}.png`));

    const request = { ...EXTRACT_DEFAULTS, ...options, cut: 'block3_pool:avg,block2_pool:avg,block1_pool:max' };
    const dataset = await openDataset(few, request);
    const extractor = await makeExtractor({
      ...request,
      network: await frozenNetwork(request),
      cuts: parseCuts(request.cut, vgg16),
    });
    const runs = extractor.networks.map(() => 0);
    const networks = extractor.networks.map((network, i) => ({
      ...network,
      run(pixels: Uint8Array, count: number) {
        runs[i]! += count;
        return network.run(pixels, count);
      },
    }));
    const counted = { ...extractor, networks, executable: networks[0]! };
    const { result } = await extractInto(store, { dataset, extractor: counted, options: request }, {});
    await extractor.executable.dispose();
    // The new images need all three cuts, the others the shallowest; none needs the network that ends at block2_pool.
    expect({ extracted: result.extracted, runs }).toEqual({ extracted: 12, runs: [2, 0, 10] });
    const fresh = join(folder(), 'fresh');
    await extract(few, { ...options, store: fresh, cut: request.cut });
    for (const [cut, pooling] of [
      ['block3_pool', 'avg'],
      ['block2_pool', 'avg'],
      ['block1_pool', 'max'],
    ] as const)
      expect(await bytesOf(store, { cut, pooling })).toEqual(await bytesOf(fresh, { cut, pooling }));
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('is extracted for what lacks it alone: a cut, a pooling, an image', async () => {
    const store = join(folder(), 'growing');
    await extract(dataset, { ...options, store, cut: 'block2_pool:avg' });
    const before = await bytesOf(store, { cut: 'block2_pool', pooling: 'avg' });

    const cut = await extract(dataset, { ...options, store, cut: 'block2_pool:avg,block1_pool:max' });
    expect(cut).toMatchObject({ extracted: 10, reused: 0 });
    expect(cut.extractedBecause).toBe('cut: "block1_pool", not "block2_pool"');
    expect(await shardsOf(store)).toEqual({ block2_pool: ['10: avg'], block1_pool: ['10: max'] });

    const pooling = await extract(dataset, { ...options, store, cut: 'block2_pool:avg+max,block1_pool:max' });
    expect(pooling).toMatchObject({ extracted: 10, reused: 0 });
    expect(pooling.extractedBecause).toBe('pooling: "max", not in block2_pool:avg');
    expect(await shardsOf(store)).toEqual({ block2_pool: ['10: avg', '10: max'], block1_pool: ['10: max'] });
    expect(await bytesOf(store, { cut: 'block2_pool', pooling: 'avg' })).toEqual(before);

    const more = await stripedDataset(join(folder(), 'More'), 3, 2);
    const other = await stripedDataset(join(folder(), 'Other'), 8, 0);
    copyFileSync(join(other, 'Train/down/7.png'), join(more, 'Train/down/new.png'));
    const image = await extract(more, { ...options, store, cut: 'block2_pool,block1_pool:max' });
    expect(image).toMatchObject({ extracted: 11, reused: 0 });
    expect(await shardsOf(store)).toEqual({
      block2_pool: ['10: avg', '10: max', '10: flatten', '1: flatten+avg+max'],
      block1_pool: ['10: max', '1: max'],
    });
    const again = await extract(more, { ...options, store, cut: 'block2_pool,block1_pool:max' });
    expect(again).toMatchObject({ extracted: 0, reused: 11, extractedBecause: null });
    const fresh = join(folder(), 'fresh');
    await extract(more, { ...options, store: fresh, cut: 'block2_pool,block1_pool:max' });
    for (const part of ['flatten', 'avg', 'max', { cut: 'block1_pool', pooling: 'max' }] as const)
      expect(await bytesOf(store, part)).toEqual(await bytesOf(fresh, part));
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });
});
