import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POOLINGS } from '../../../src/core/sample.ts';
import { fingerprintOf } from '../../../src/store/format/fingerprint.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { commitDataset, openForWriting, setFor, whyNotReused } from '../../../src/store/write/store.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { rejection } from '../../support/errors.ts';
import { makeOld, temporaryFolders, writeTree } from '../../support/folders.ts';
import { ENGINE, settingsWith, storedRow, WIDTHS } from '../../support/stored-rows.ts';
import { commitSamples, contentOf, filesOf, fillStore, openMade, matricesOf, whole } from '../../support/stores.ts';

const folder = temporaryFolders();
const newStore = (): string => join(folder(), 'deep/store');
const ROWS = [storedRow('a.jpg'), storedRow('b.jpg'), storedRow('c.jpg', { split: 'val' })];

describe('opening a store for writing', () => {
  it('makes it, empty and readable, with the folders above it', async () => {
    const store = newStore();
    const { manifest } = await openForWriting(store, '1.2.3');
    expect(await readManifest(store)).toEqual(manifest);
    expect(manifest).toMatchObject({ permafrost: '1.2.3', sets: [], dataset: { root: '', failures: [] } });
    expect(readdirSync(store)).toEqual(['manifest.json']);
    await rejection(openMade({ store, manifest }).samples(), 'STORE_EMPTY');
    await rejection(matricesOf(openMade({ store, manifest }), 'avg', ['train']), 'STORE_EMPTY');
  });

  it('takes an empty folder, and a store that is there without changing a byte of it', async () => {
    const store = folder();
    const { manifest } = await fillStore(store, ROWS, { perShard: 2 });
    const before = filesOf(store);
    expect((await openForWriting(store, '9.9.9')).manifest).toEqual(manifest);
    expect(filesOf(store)).toEqual(before);
  });

  it.each([
    ['something else', { 'holiday.jpg': 'x', 'notes.tmp': 'y' }, 'STORE_WRITE', /found holiday\.jpg, notes\.tmp\)/],
    ['a temporary file of something else', { 'draft.123.tmp': 'x' }, 'STORE_WRITE', /found draft\.123\.tmp/],
    [
      'the manifest of something else',
      { 'manifest.json': '{"version": 2}', 'a.9.tmp': 'x' },
      'STORE_NOT_FOUND',
      /no store/,
    ],
    ['a damaged manifest', { 'manifest.json': '{', 'a.9.tmp': 'x' }, 'STORE_CORRUPT', /no JSON/],
  ] as const)('refuses a folder with %s and touches nothing in it', async (_, files, code, words) => {
    const root = writeTree(folder(), files);
    const before = filesOf(root);
    const { message } = await rejection(openForWriting(root, '0.0.0'), code);
    expect(message).toContain(root);
    expect(message).toMatch(words);
    expect(filesOf(root)).toEqual(before);
  });

  it('refuses a path that is a file, or leads through one', async () => {
    const root = writeTree(folder(), { file: 'x' });
    for (const path of ['file', 'file/store']) {
      const { message } = await rejection(openForWriting(join(root, path), '0.0.0'), 'STORE_WRITE');
      expect(message).toMatch(/cannot be made: (EEXIST|ENOTDIR).*--store/);
    }
  });

  it('removes what a killed process left, and nothing else', async () => {
    const store = newStore();
    const { set } = await fillStore(store, ROWS, { perShard: 2 });
    const before = {
      ...filesOf(store),
      'results.json': '{}',
      'heads/x.safetensors': 'x',
      'my.arrow': 'mine',
      'notes.tmp': 'mine',
    };
    writeTree(store, before);
    const stem = `block5_pool-${set.fingerprint}`;
    writeTree(store, {
      'manifest.json.4711.tmp': '{',
      [`${stem}-00002-rows.arrow.4711.tmp`]: 'half',
      [`${stem}-00002-rows.arrow`]: 'a shard that the manifest does not name',
      [`${stem}-00002-flatten.arrow`]: 'the same',
      'block1_pool-0123456789abcdef-00000-avg.arrow': 'of another set',
      'samples-0123456789abcdef.arrow': 'samples that the manifest does not name',
      'heads/y.safetensors.4711.tmp': 'half a head',
    });
    const unfinished = Object.keys(filesOf(store)).filter((name) => name.endsWith('.4711.tmp'));
    makeOld(...unfinished.map((name) => join(store, name)));
    await openForWriting(store, '0.0.0');
    expect(Object.keys(filesOf(store)).sort()).toEqual(Object.keys(before).sort());
  });

  it('goes on where a process was killed before it had made the manifest', async () => {
    const store = folder();
    writeFileSync(join(store, 'manifest.json.4711.tmp'), '{"format": "perm');
    makeOld(join(store, 'manifest.json.4711.tmp'));
    await openForWriting(store, '0.0.0');
    expect(readdirSync(store)).toEqual(['manifest.json']);
  });
});

describe('a set of features', () => {
  it('is found again by its settings, whatever the order of their keys, and made where it is not there', async () => {
    const { manifest } = await openForWriting(newStore(), '0.0.0');
    const one = setFor(manifest, { settings: settingsWith(), engine: ENGINE, widths: WIDTHS });
    const { dtype, cut, ...rest } = settingsWith();
    expect(
      setFor(manifest, { settings: { ...rest, cut, dtype }, engine: { ...ENGINE, version: '2.0' }, widths: WIDTHS }),
    ).toBe(one);
    expect(one.engine.version).toBe('1.0');
    const other = setFor(manifest, { settings: settingsWith({ cut: 'block4_pool' }), engine: ENGINE, widths: WIDTHS });
    expect(manifest.sets).toEqual([one, other]);
  });

  it("is a copy: the manifest does not change with the caller's settings", async () => {
    const { manifest } = await openForWriting(newStore(), '0.0.0');
    const mean: [number, number, number] = [1, 2, 3];
    const widths = { ...WIDTHS } as { flatten: number; avg: number; max: number };
    const set = setFor(manifest, {
      settings: settingsWith({ contract: { ...CONTRACTS.keras, mean } }),
      engine: ENGINE,
      widths,
    });
    mean[0] = 99;
    widths.avg = 99;
    expect(set.settings.contract.mean).toEqual([1, 2, 3]);
    expect(set.widths).toEqual(WIDTHS);
  });
});

describe('committing a data set', () => {
  it('makes its samples readable in their order, with the failures, and replaces the former ones', async () => {
    const store = newStore();
    const { manifest, set } = await fillStore(store, ROWS);
    expect(await openMade({ store, manifest }).samples()).toEqual(ROWS);
    const former = manifest.dataset.samples!.name;
    const samples = [
      { ...ROWS[2]!, path: 'moved/c.jpg', label: 'bee' },
      { ...ROWS[0]!, split: 'test' as const },
      { ...ROWS[2]!, path: 'moved/copy of c.jpg', split: 'train' as const },
    ];
    const failures = [{ path: 'x\n.jpg', code: 'IMAGE_UNDECODABLE' as const, reason: 'it is no picture' }];
    await commitDataset({ path: store, manifest }, { root: '/elsewhere', sets: whole(set), samples, failures });
    const found = await readManifest(store);
    expect(found).toEqual(manifest);
    expect(found.dataset).toMatchObject({
      root: '/elsewhere',
      sets: [{ fingerprint: set.fingerprint, poolings: DEFAULT_POOLINGS }],
      failures,
    });
    expect(await openMade({ store, manifest: found }).samples()).toEqual(samples);
    expect(existsSync(join(store, former))).toBe(false);
    const { features } = await contentOf(store, ['train', 'val', 'test']);
    expect(features.flatten['moved/copy of c.jpg']).toEqual(features.flatten['moved/c.jpg']);
  });

  it('writes no samples anew where they are the same', async () => {
    const store = newStore();
    const { manifest, set } = await fillStore(store, ROWS);
    const before = filesOf(store);
    await commitSamples({ store, manifest, set }, ROWS);
    expect(filesOf(store)).toEqual(before);
  });

  it('takes a data set of which no image could be read', async () => {
    const store = newStore();
    const { manifest, set } = await fillStore(store, ROWS);
    await commitSamples({ store, manifest, set }, []);
    expect(await openMade({ store, manifest }).samples()).toEqual([]);
    const loaded = await matricesOf(openMade({ store, manifest }), 'avg', ['train']);
    expect(loaded.get('train')).toMatchObject({ X: { rows: 0, cols: WIDTHS.avg }, samples: [] });
  });
});

describe('why stored features do not serve', () => {
  const keras = settingsWith({ dtype: 'float32' });
  const vgg16 = settingsWith({ contract: CONTRACTS.vgg16, dtype: 'float32' });
  const wanted = settingsWith();

  it('is nothing in a new store, nor where another set has no rows', async () => {
    const { manifest } = await openForWriting(newStore(), '0.0.0');
    expect(whyNotReused(manifest, wanted)).toBeUndefined();
    setFor(manifest, { settings: keras, engine: ENGINE, widths: WIDTHS });
    expect(whyNotReused(manifest, wanted)).toBeUndefined();
  });

  it('names the fields of the nearest set, what is wanted first', async () => {
    const store = newStore();
    await fillStore(store, ROWS, { settings: vgg16 });
    const { manifest } = await fillStore(store, ROWS, { settings: keras });
    expect(manifest.sets.map(({ fingerprint }) => fingerprint)).toEqual([vgg16, keras].map(fingerprintOf));
    expect(whyNotReused(manifest, wanted)).toBe('dtype: "float16", not "float32"');
    const other = { ...wanted, engineClass: 'x/cpu/int8', cut: 'block1_pool' };
    expect(whyNotReused(manifest, other)).toBe(
      'cut: "block1_pool", not "block5_pool"; dtype: "float16", not "float32"; engineClass: "x/cpu/int8", not "onnxruntime/cpu/fp32"',
    );
  });

  it('is nothing where the set that is wanted has rows: what it lacks are new images', async () => {
    const store = newStore();
    await fillStore(store, ROWS, { settings: keras });
    const { manifest } = await fillStore(store, ROWS.slice(1), { settings: wanted });
    expect(whyNotReused(manifest, wanted)).toBeUndefined();
  });
});
