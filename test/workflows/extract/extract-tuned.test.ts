import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { sweep as sourceSweep } from '../../../src/index.ts';
import { extract, neighbors, openStore, predict, train } from '../../../src/index.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { tunedSets } from '../../../src/store/read/tuned-sets.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { inspect } from '../../../src/workflows/care/inspect.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { keepTuned } from '../../../src/workflows/finetune/keep-tuned.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { matricesOf } from '../../support/stores.ts';
import { tunedNetwork } from '../../support/tuned.ts';

// Its threads run the built files.
const { sweep } = (await import(new URL('../../../dist/index.js', import.meta.url).href)) as {
  sweep: typeof sourceSweep;
};

const folder = temporaryFolders();
const options = { engine: 'onnxruntime', precision: 'fp32' } as const;
let dataset: string;
let made: string;
/** A file outside of the store. */
let file: string;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 3, 1);
  made = join(folder(), 'made');
  await extract(dataset, { ...options, store: made, cut: 'block5_conv2:flatten,block5_pool:avg' });
  const store = await openStore(made);
  file = join(folder(), 'tuned.safetensors');
  await keepTuned(store, await tunedNetwork(store), { out: file, features: false });
});

/** A copy of the store, which has no features of the tuned network yet. */
function copied(name: string): string {
  const path = join(folder(), name);
  cpSync(made, path, { recursive: true });
  return path;
}

/** Average-pooled features of the tuned network, of train and val, as numbers. */
async function tunedFeatures(path: string): Promise<number[]> {
  const store = await openStore(path);
  const [set] = tunedSets(store);
  const through = set === undefined ? store : store.throughNetwork(set.fingerprint);
  return [...(await matricesOf(through, 'avg', ['train', 'val'])).values()].flatMap(({ X }) => [...X.data]);
}

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), 0);

function expectEqual(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const most = found.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
  expect(most / largest(expected)).toBeLessThan(1e-5);
}

describe('extract --backbone-file', () => {
  it('makes the features of stored images without their files, beside the primary ones', async () => {
    const path = copied('without files');
    const away = `${dataset}-away`;
    renameSync(dataset, away);
    try {
      const result = await extract(path, { backboneFile: file });
      expect(result).toMatchObject({
        images: 8,
        extracted: 8,
        reused: 0,
        tuned: { from: 'block5_conv3', fromMaps: 8 },
      });
      expect(await extract(path, { backboneFile: file })).toMatchObject({ extracted: 0, reused: 8 });
    } finally {
      renameSync(away, dataset);
    }
    const { dataset: listed, sets, version } = await readManifest(path);
    expect(version).toBe(5);
    expect(listed.sets.map(({ fingerprint }) => fingerprint)).toEqual(
      (await readManifest(made)).dataset.sets.map(({ fingerprint }) => fingerprint),
    );
    expect(sets.find(({ fingerprint }) => fingerprint === listed.tuned![0]!.fingerprint)!.settings).toMatchObject({
      cut: 'block5_pool',
      tail: { from: 'block5_conv3', maps: 'float16' },
    });
  });

  it('sends images of which no activations are stored through the whole network, with the same features', async () => {
    const fromMaps = copied('from maps');
    await extract(fromMaps, { backboneFile: file });
    const decoded = join(folder(), 'decoded');
    await extract(dataset, { ...options, store: decoded, cut: 'block5_pool:avg' });
    const result = await extract(decoded, { backboneFile: file });
    expect(result).toMatchObject({ extracted: 8, tuned: { fromMaps: 0 } });
    expectEqual(await tunedFeatures(decoded), await tunedFeatures(fromMaps));
  });

  it('makes them the primary ones of a store without a data set', async () => {
    const fromMaps = copied('from maps too');
    await extract(fromMaps, { backboneFile: file });
    const alone = join(folder(), 'alone');
    expect(await extract(dataset, { store: alone, backboneFile: file })).toMatchObject({ extracted: 8 });
    expect((await readManifest(alone)).dataset.tuned).toBeUndefined();
    expectEqual(await tunedFeatures(alone), await tunedFeatures(fromMaps));
  });

  it('gives new images of a data set the primary features too, and says where they are lacking', async () => {
    const path = copied('grown');
    const grown = join(folder(), 'Grown');
    cpSync(dataset, grown, { recursive: true });
    await extract(path, { backboneFile: file });
    const { fingerprint } = tunedSets(await openStore(path))[0]!;
    cpSync(
      join(await stripedDataset(join(folder(), 'More'), 6, 1), 'Train/across/5.png'),
      join(grown, 'Train/across/9.png'),
    );
    const notes: string[] = [];
    const cut = 'block5_conv2:flatten,block5_pool:avg';
    await extract(grown, { ...options, store: path, cut }, { listener: { note: (text) => notes.push(text) } });
    expect(notes).toContainEqual(
      textWith(new RegExp(`features of the tuned network ${fingerprint} lack 1 image of the`)),
    );
    const { message } = await rejection(train(path, { backboneFile: file }), 'STORE_EMPTY');
    expect(message).toMatch(/has no features of the network of .* for all of its images\. Run "permafrost extract/);
    expect(await extract(grown, { store: path, backboneFile: file })).toMatchObject({
      images: 9,
      extracted: 1,
      tuned: { fingerprint, fromMaps: 1 },
    });
    expect(await train(path, { backboneFile: file })).toMatchObject({ trained: 7 });
  });

  it('refuses what the file has decided, and a head without layers', async () => {
    const path = copied('refused');
    for (const given of [{ contract: 'keras' }, { dtype: 'float32' }, { views: 1 }, { labels: 'labels.csv' }] as const)
      await rejection(extract(path, { ...given, backboneFile: file }), 'OPTION_INVALID');
    const head = await train(path, { head: 'centroid' });
    const { message } = await rejection(extract(path, { backboneFile: head.file! }), 'OPTION_INVALID');
    expect(message).toMatch(/carries no tuned layers/);
    await rejection(extract(path, { backboneFile: file, cut: 'block4_pool' }), 'OPTION_INVALID');
  });
});

describe('heads on the features of a tuned network', () => {
  let path: string;
  let picture: string;
  beforeAll(async () => {
    path = copied('heads');
    await extract(path, { backboneFile: file });
    picture = join(dataset, 'Val/down/0.png');
  });

  it('are trained and asked by file or by the name of the set, and lie beside those on the primary features', async () => {
    const { fingerprint } = tunedSets(await openStore(path))[0]!;
    const plain = await train(path, { head: 'centroid' });
    const byFile = await train(path, { head: 'centroid', backboneFile: file });
    const byName = await train(path, { head: 'centroid', backboneFile: fingerprint });
    expect(byName.file).toBe(byFile.file);
    expect(byFile.file).not.toBe(plain.file);
    // The layers are read from the store.
    expect((await predict(byFile.file!, [picture])).predictions[0]!.neighbors).toHaveLength(3);
    const found = await neighbors(path, [join(dataset, 'Train/down/1.png')], { backboneFile: file, k: 1 });
    expect(found.queries[0]!.neighbors[0]).toMatchObject({ path: 'Train/down/1.png' });
    expect(found.queries[0]!.neighbors[0]!.distance).toBeLessThan(1e-6);
    await rejection(train(path, { backboneFile: '0123456789abcdef' }), 'STORE_EMPTY');
  });

  it('are swept', async () => {
    const grid = {
      pooling: 'avg',
      normalize: 'l2',
      pca: 0,
      heads: [{ head: 'centroid' }, { head: 'knn', nNeighbors: 1 }],
    } as const;
    const request = { grid, folds: 2, save: true, backboneFile: file };
    const swept = await sweep(path, request);
    expect(swept).toMatchObject({ computed: 2, best: { trained: 6, validated: 2 } });
    const plain = await sweep(path, { ...request, backboneFile: '' });
    expect(plain.computed).toBe(2);
    expect(plain.best.file).not.toBe(swept.best.file);
    expect((await predict(swept.best.file!, [picture])).predictions).toHaveLength(1);
  });

  it('are refused with a damaged file of the network, wherever the damage is', async () => {
    const bytes = readFileSync(file);
    for (const [name, at] of [
      ['the first layer', Math.floor(bytes.length * 0.2)],
      ['the last byte', bytes.length - 1],
      ['the document', 40],
    ] as const) {
      const damaged = join(folder(), 'damaged.safetensors');
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x10;
      writeFileSync(damaged, changed);
      const { code } = await rejection(train(path, { head: 'centroid', backboneFile: damaged }), 'HEAD_CORRUPT');
      expect([name, code]).toEqual([name, 'HEAD_CORRUPT']);
      await rejection(extract(path, { backboneFile: damaged }), 'HEAD_CORRUPT');
      truncateSync(damaged, at);
      await rejection(extract(path, { backboneFile: damaged }), 'HEAD_CORRUPT');
    }
  });

  it('need the file of the network where their store has gone', async () => {
    const { file: made } = await train(path, { head: 'centroid', backboneFile: file });
    const moved = join(folder(), 'moved', 'deeper');
    const head = join(moved, 'head.safetensors');
    cpSync(made!, head);
    const { message } = await rejection(predict(head, [picture]), 'WEIGHTS_NOT_FOUND');
    expect(message).toMatch(/layers from block5_conv3 on were changed.*--backbone-file FILE/);
    const asked = await predict(head, [picture], { backboneFile: file });
    const [own] = (await predict(made!, [picture])).predictions;
    expect(asked.predictions[0]!.probabilities).toEqual(own!.probabilities);
    const store = await openStore(path);
    const other = join(folder(), 'other.safetensors');
    await keepTuned(store, await tunedNetwork(store, { seed: 2 }), { out: other, features: false });
    const refused = await rejection(predict(head, [picture], { backboneFile: other }), 'FINGERPRINT_MISMATCH');
    expect(refused.message).toMatch(/holds another tuned network/);
  });
});

describe('the care of a store with features of a tuned network', () => {
  it('shows, verifies, repairs and drops them', async () => {
    const path = copied('cared');
    await extract(path, { backboneFile: file });
    const expected = await tunedFeatures(path);
    const [set] = tunedSets(await openStore(path));
    const shown = (await inspect(path)).sets.find(({ fingerprint }) => fingerprint === set!.fingerprint);
    expect(shown).toMatchObject({ current: true, primary: false, rows: 8, tuned: { from: 'block5_conv3' } });
    expect(await verify(path)).toMatchObject({ ok: true, orphans: [] });

    const shard = readdirSync(path).find(
      (name) => name.includes(`${set!.fingerprint}-`) && name.endsWith('avg.arrow'),
    )!;
    truncateSync(join(path, shard), 100);
    expect(await repair(path)).toMatchObject({ lostRows: 8, extracted: 8, next: null });
    expectEqual(await tunedFeatures(path), expected);
    expect(await verify(path)).toMatchObject({ ok: true, orphans: [] });

    const layers = set!.tuned!.layers.name;
    truncateSync(join(path, layers), 100);
    const { next } = await repair(path);
    expect(next).toMatch(new RegExp(`layers of the tuned network ${set!.fingerprint} were lost.*--backbone-file FILE`));
    expect(await verify(path)).toMatchObject({ ok: true, orphans: [] });
    await extract(path, { backboneFile: file });
    expectEqual(await tunedFeatures(path), expected);

    expect(await gc(path, { otherSets: true })).toMatchObject({ droppedSets: 0 });
    expect(await gc(path, { tunedSets: true })).toMatchObject({ droppedSets: 1, droppedRows: 8 });
    expect(existsSync(join(path, layers))).toBe(false);
    expect(tunedSets(await openStore(path))).toHaveLength(0);
    rmSync(path, { recursive: true });
  });

  it('repairs them where they are the primary ones', async () => {
    const alone = join(folder(), 'alone and damaged');
    await extract(dataset, { store: alone, backboneFile: file });
    const rows = async () =>
      [...(await matricesOf(await openStore(alone), 'avg', ['train', 'val'])).values()].flatMap(({ X }) => [...X.data]);
    const expected = await rows();
    const shard = readdirSync(alone).find((name) => name.endsWith('avg.arrow'))!;
    truncateSync(join(alone, shard), 100);
    expect(await repair(alone)).toMatchObject({ lostRows: 8, extracted: 8, next: null });
    expectEqual(await rows(), expected);
  });
});
