import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FeaturePart, Pooling, Sample, Split } from '../../../src/core/sample.ts';
import { decodeArrow } from '../../../src/store/format/arrow-file.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { sealJson, unseal } from '../../../src/store/format/sealed-json.ts';
import { openForWriting } from '../../../src/store/write/store.ts';
import { takeLabelsOut } from '../../../src/store/care/take-labels-out.ts';
import { verifyStore } from '../../../src/store/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { migrate } from '../../../src/workflows/care/migrate.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { filesOf, openMade, matricesOf } from '../../support/stores.ts';

// A store as each version wrote it, committed: whatever comes, it must open with these values. Never make them anew.
const fixture = (version: number): string => `test/fixtures/store-v${version}`;
const folder = temporaryFolders();

function copyOf(version: number): string {
  const store = join(folder(), 'small.permafrost');
  cpSync(join(fixture(version), 'store'), store, { recursive: true });
  return store;
}

/** What a version's store must answer: its samples, and each part's values by split. */
interface Expected {
  readonly rows: readonly Sample[];
  readonly features: Readonly<Record<string, Readonly<Partial<Record<Split, readonly number[]>>>>>;
}

async function expectContent(store: string, { rows, features }: Expected): Promise<void> {
  const manifest = await readManifest(store);
  expect(await openMade({ store, manifest }).samples()).toEqual(rows);
  expect(manifest.dataset.failures).toHaveLength(1);
  for (const [name, values] of Object.entries(features)) {
    // `avg` of the primary set, or `block4_pool:avg`.
    const [cut, pooling] = name.split(':') as [string, Pooling];
    const part: Pooling | FeaturePart[] = pooling === undefined ? (cut as Pooling) : [{ cut, pooling }];
    for (const [split, { X }] of await matricesOf(openMade({ store, manifest }), part, ['train', 'val']))
      expect([...X.data]).toEqual(values[split]);
  }
  expect(await verifyStore(store, '0.0.0')).toMatchObject({ damaged: [], orphans: [] });
}

/** Arrow files of a store that have a column of labels. */
const labelledFiles = (store: string): string[] =>
  readdirSync(store).filter(
    (name) =>
      name.endsWith('.arrow') &&
      [...decodeArrow(readFileSync(join(store, name)), name)].some((one) => one.has('label')),
  );

const expectedOf = (version: number): Expected =>
  JSON.parse(readFileSync(join(fixture(version), 'expected.json'), 'utf8')) as Expected;

describe.each([1, 2])('a store of version %i', (version) => {
  it('opens, every sample and every value of it, and every byte is what was written', async () => {
    const store = copyOf(version);
    const before = filesOf(store);
    await expectContent(store, expectedOf(version));
    expect((await readManifest(store)).version).toBe(version);
    // Reading and opening lift nothing: the first write does. Who opens it for writing copies the manifest as it is.
    expect((await openForWriting(store, '9.9.9')).manifest.version).toBe(version);
    expect(filesOf(store)).toEqual({ ...before, 'manifest-copy.json': before['manifest.json'] });
  });

  it('is lifted by migrate, which takes labels and splits out of the shards, and does nothing the second time', async () => {
    const store = copyOf(version);
    const labels = (): string[] => labelledFiles(store);
    expect(labels().length).toBeGreaterThan(3);
    const first = await migrate(store);
    expect(first).toMatchObject({ from: version, to: 5, rows: version === 1 ? 3 : 9 });
    expect(first.rewritten).toBe(first.shards);
    // The list of samples is what labels stand in.
    expect(labels()).toEqual([textWith(/^samples-/)]);
    await expectContent(store, expectedOf(version));
    const files = filesOf(store);
    expect(await migrate(store)).toEqual({ ...first, from: 5, rewritten: 0 });
    expect(filesOf(store)).toEqual(files);
  });

  it('is migrated by the same again where a process was killed in between, with nothing lost', async () => {
    const store = copyOf(version);
    const draft = { path: store, manifest: await readManifest(store) };
    const half = takeLabelsOut(draft, () => {
      throw new Error('killed');
    });
    await expect(half).rejects.toThrow('killed');
    // What is there twice counts once, and an older program would not miss it either.
    await expectContent(store, expectedOf(version));
    await migrate(store);
    expect(labelledFiles(store)).toEqual([textWith(/^samples-/)]);
    await expectContent(store, expectedOf(version));
  });
});

describe('a store of another version', () => {
  it('that is newer is refused by migrate too, and nothing in it is changed', async () => {
    const store = copyOf(2);
    const path = join(store, 'manifest.json');
    const document = unseal(JSON.parse(readFileSync(path, 'utf8')));
    writeFileSync(path, sealJson({ ...document, version: 6 }));
    const before = filesOf(store);
    const { message } = await rejection(migrate(store), 'STORE_VERSION');
    expect(message).toMatch(/has store version 6; this permafrost reads versions 1, 2, 3, 4, 5\./);
    expect(filesOf(store)).toEqual(before);
  });

  it('1 is lifted by the first extraction into it, which says so, and keeps what is there', async () => {
    const store = copyOf(1);
    const dataset = await stripedDataset(join(folder(), 'Stripes'), 1, 1);
    const notes: string[] = [];
    await extract(
      dataset,
      { store, cut: 'block1_pool:avg', engine: 'onnxruntime' },
      { listener: { note: (text) => notes.push(text) } },
    );
    const [note, ...others] = notes.filter((text) => text.includes('migrated from version 1 to 5'));
    expect(note).toContain('2 of its shards still hold labels as they were when they were written');
    expect(others).toEqual([]);
    const manifest = await readManifest(store);
    expect(manifest.version).toBe(5);
    expect(manifest.sets.map(({ settings: { cut }, shards }) => [cut, shards.length])).toEqual([
      ['block5_pool', 2],
      ['block1_pool', 1],
    ]);
    expect(await verifyStore(store, '0.0.0')).toMatchObject({ damaged: [], orphans: [] });
  });
});
