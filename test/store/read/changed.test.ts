import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { compactSet } from '../../../src/store/care/compact.ts';
import { removeFile } from '../../../src/store/format/atomic-file.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import { openRows } from '../../../src/store/read/access.ts';
import { storeFiles } from '../../../src/store/read/file.ts';
import type { StoredRows } from '../../../src/store/read/rows.ts';
import { storedList } from '../../../src/store/read/samples.ts';
import { lockStore } from '../../../src/store/write/lock.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { commitSamples, fillStore, named, type MadeStore } from '../../support/stores.ts';

const folder = temporaryFolders();
const ROWS = named(12);
/** The data set as it is read first, and the one that takes its place: other images, and some of the first. */
const [FIRST, SECOND] = [ROWS.slice(0, 8), ROWS.slice(4)];

let made: MadeStore;
let store: Store;
beforeEach(async () => {
  made = await fillStore(folder(), ROWS, { perShard: 3 });
  await commitSamples(made, FIRST);
  store = await openStore(made.store);
});

/** Writes the rows that some samples need into other shards, and removes the old ones, as `gc` does. */
async function collect(needed: readonly { readonly sha256: string }[]): Promise<void> {
  const wanted = new Set(needed.map(({ sha256 }) => sha256));
  const draft = { path: made.store, manifest: await readManifest(made.store) };
  const { staleFiles } = await compactSet(draft, draft.manifest.sets[0]!, (sha256) => wanted.has(sha256), false);
  for (const name of staleFiles) await removeFile(join(made.store, name));
  made = { ...made, manifest: draft.manifest, set: draft.manifest.sets[0]! };
}

/** All rows, by their place, block after block. */
async function contentOf(rows: StoredRows, between: (block: number) => Promise<void> = () => Promise.resolve()) {
  const found = new Map<number, number[]>();
  for (let block = 0; block + 1 < rows.starts.length; block++) {
    await between(block);
    const { data, cols, rows: count } = await rows.read(block);
    for (let i = 0; i < count; i++)
      found.set(rows.places[rows.starts[block]! + i]!, [...data.subarray(i * cols, (i + 1) * cols)]);
  }
  return found;
}

describe('a store that is written to while it is open', () => {
  it('keeps its samples, however long their list is', async () => {
    const long = storedList(storeFiles(made.store), store.manifest, 100);
    await long.hold();
    await commitSamples(made, SECOND);
    expect([...(await store.samples())]).toEqual(FIRST);
    expect([...(await long.samples())]).toEqual(FIRST);
    expect([...(await long.samples())]).toEqual(FIRST);
    expect([...(await (await openStore(made.store)).samples())]).toEqual(SECOND);
    const late = storedList(storeFiles(made.store), store.manifest, 100);
    await rejection(Promise.resolve(late.samples()), 'STORE_CHANGED');
  });

  it('finds rows in blocks wherever they are moved between two blocks, in the order that it had begun with', async () => {
    const expected = await contentOf(await store.rows({ parts: 'flatten', memory: 'blocks' }));
    const rows = await store.rows({ parts: 'flatten', memory: 'blocks' });
    expect(rows.starts.length).toBeGreaterThan(2);
    const found = await contentOf(rows, (block) => (block === 1 ? collect(FIRST) : Promise.resolve()));
    expect(found).toEqual(expected);
    expect(await contentOf(rows)).toEqual(expected);
  });

  it('finds single rows wherever they are moved, and says which were removed', async () => {
    const ids = FIRST.map(({ id }) => id);
    const access = openRows(store);
    const expected = await access.rowsById(ids, 'avg');
    await collect(FIRST);
    expect(await access.rowsById(ids, 'avg')).toEqual(expected);
    await collect(SECOND);
    const { message } = await rejection(access.rowsById(ids, 'avg'), 'STORE_CHANGED');
    expect(message).toMatch(/changed while it was read.*nothing is damaged\. Run the same command again/);
  });

  it('never takes rows of another data set for those that were removed', async () => {
    const rows = await store.rows({ parts: 'avg', memory: 'blocks' });
    await commitSamples(made, SECOND);
    await collect(SECOND);
    await rejection(contentOf(rows), 'STORE_CHANGED');
    await rejection(store.rows({ parts: 'avg', memory: 'matrix' }), 'STORE_CHANGED');
    const opened = await openStore(made.store);
    expect((await contentOf(await opened.rows({ parts: 'avg', memory: 'blocks' }))).size).toBe(SECOND.length);
  });

  it('calls a file damaged that is named still', async () => {
    const [shard] = store.manifest.sets[0]!.shards;
    rmSync(join(made.store, shard!.files.avg!.name));
    const { message } = await rejection(store.rows({ parts: 'avg', memory: 'matrix' }), 'STORE_CORRUPT');
    expect(message).toContain(shard!.files.avg!.name);
    expect((await verify(made.store)).damaged.map(({ name }) => name)).toEqual([shard!.files.avg!.name]);
  });
});

describe('verify', () => {
  it('calls nothing left over that a writer at work may name later', async () => {
    const name = `block5_pool-${made.set.fingerprint}-00099-rows.arrow`;
    const lock = await lockStore(made.store, 'test');
    writeFileSync(join(made.store, name), 'half');
    expect((await verify(made.store)).orphans).toEqual([]);
    await lock.release();
    expect((await verify(made.store)).orphans).toEqual([name]);
  });
});
