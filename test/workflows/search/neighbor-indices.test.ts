import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { IndexResult } from '../../../src/results/answer-results.ts';
import type { Progress } from '../../../src/core/listener.ts';
import { keepIndex, type IndexKey } from '../../../src/store/format/index-file.ts';
import { openStore } from '../../../src/store/open.ts';
import { lockStore } from '../../../src/store/write/lock.ts';
import { neighborsText } from '../../../src/report/answers/answer-report.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import type { buildGraphFiles as sourceBuild } from '../../../src/classify/neighbors/hnsw-threads.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import type { neighbors as sourceNeighbors } from '../../../src/workflows/search/neighbors.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { hnswMissing } from '../../classify/neighbors/hnsw-missing.ts';
import { makeOld, temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

// Threads are started from a file, which Node 20 must be able to run: the built one. So this is the built workflow too.
type Workflow = { readonly neighbors: typeof sourceNeighbors };
const { neighbors } = (await import(
  new URL('../../../dist/workflows/search/neighbors.js', import.meta.url).href
)) as Workflow;

const { buildGraphFiles } = (await import(
  new URL('../../../dist/classify/neighbors/hnsw-threads.js', import.meta.url).href
)) as { readonly buildGraphFiles: typeof sourceBuild };

/** What is read of a seal to write one as an earlier version did. */
interface OldSeal {
  readonly of: Record<string, unknown>;
}

/** The error of the built workflow: its class is another one than that of the sources. */
async function refused(work: Promise<unknown>, code: string): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as Error & { code: string },
  );
  expect(error?.code).toBe(code);
  return error!;
}

const missing = await hnswMissing();
const folder = temporaryFolders();
let dataset: string;
let whole: string;
let picture: string;

beforeAll(async () => {
  dataset = await stripedDataset(folder(), 4, 2);
  whole = join(folder(), 'whole.permafrost');
  picture = join(dataset, 'Val', 'down', '0.png');
  // An early cut: the tests are about indices, and its network takes a fifth of the time.
  await extract(dataset, { store: whole, cut: 'block2_pool' });
});

function copy(): string {
  const store = join(folder(), 'copy.permafrost');
  cpSync(whole, store, { recursive: true });
  return store;
}

const HNSW = { index: 'hnsw', k: 3 } as const;
const indexNames = (store: string): string[] => readdirSync(join(store, 'indexes')).sort();
const kept = (result: { readonly index: 'exact' | readonly IndexResult[] }): IndexResult => {
  if (result.index === 'exact') throw new Error('an exact search');
  return result.index[0]!;
};

describe('neighbors by exact search', () => {
  it('refuses a recall: it finds all neighbours', async () => {
    const { message } = await refused(neighbors(whole, [picture], { recall: 0.9 }), 'OPTION_INVALID');
    expect(message).toContain('Add --index hnsw');
    await refused(neighbors(whole, [picture], { graphs: 3 }), 'OPTION_INVALID');
  });

  it('is what auto takes for an image among few, and says why', async () => {
    const notes: string[] = [];
    const listener = { note: (text: string) => void notes.push(text) };
    const found = await neighbors(whole, [picture], { index: 'auto', recall: 0.9 }, { listener });
    expect(found.index).toBe('exact');
    expect(found.indexChosen).toMatch(
      /^1 image among 8 stored: about .* s by exact search, .* s by graphs that would be/,
    );
    expect(notes).toContain(`index: exact. ${found.indexChosen}.`);
    expect(neighborsText(found)).toContain(`Chosen: exact search. ${found.indexChosen}`);
    expect(found.queries).toEqual((await neighbors(whole, [picture])).queries);
  });

  it('writes nothing into the store', async () => {
    const store = copy();
    expect((await neighbors(store, [picture])).index).toBe('exact');
    expect(existsSync(join(store, 'indexes'))).toBe(false);
  });
});

describe.skipIf(missing !== undefined)(`an index in a store${missing ? ` [skipped: ${missing}]` : ''}`, () => {
  it('is built once, with progress, and gives what exact search gives', async () => {
    const store = copy();
    const seen: Progress[] = [];
    const first = await neighbors(store, [picture], HNSW, {
      listener: { progress: (state) => void (state.stage === 'indexing' && seen.push(state)) },
    });
    // One of the eight is in no graph: recall is measured on it.
    expect(seen.at(-1)).toMatchObject({ done: 7, total: 7 });
    expect(first.queries).toEqual((await neighbors(store, [picture], { k: 3 })).queries);
    expect(kept(first)).toMatchObject({ split: 'train', k: 3, recall: 1, queries: 1, heldOut: true, built: true });

    const again = await neighbors(store, [picture], HNSW);
    expect(kept(again)).toEqual({ ...kept(first), built: false });
    expect(again.queries).toEqual(first.queries);
    expect(indexNames(store).map((name) => name.replace(/[0-9a-f]{16}/, '…'))).toEqual(
      // Two graphs share the rows.
      ['bin', 'json', 'bin', 'json'].map((kind) => `hnsw-….${kind}`),
    );
    expect(neighborsText(again)).toContain(
      `HNSW graph of train (from the store): recall@3 1.0000 against exact search, measured on 1 image that the graph does not hold, ef 3, searched by ${kept(again).threads} thread`,
    );
  });

  it('is one for each split, metric and pooling', async () => {
    const store = copy();
    const all = await neighbors(store, [picture], { ...HNSW, split: 'all', k: 5 });
    expect(all.index).toMatchObject([{ split: 'train' }, { split: 'val' }]);
    expect(all.queries).toEqual((await neighbors(store, [picture], { split: 'all', k: 5 })).queries);
    await neighbors(store, [picture], { ...HNSW, metric: 'euclidean' });
    await neighbors(store, [picture], { ...HNSW, pooling: 'max' });
    expect(indexNames(store)).toHaveLength(16);
    expect((await verify(store)).orphans).toEqual([]);
  });

  it('is verified, refused when damaged, removed by repair and built again', async () => {
    const store = copy();
    await neighbors(store, [picture], HNSW);
    const [bin] = indexNames(store);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
    appendFileSync(join(store, 'indexes', bin!), 'x');
    expect(await verify(store)).toMatchObject({
      ok: false,
      damaged: [{ name: join('indexes', bin!), rows: 0 }],
    });
    const { message } = await refused(neighbors(store, [picture], HNSW), 'STORE_CORRUPT');
    expect(message).toMatch(/is not what was written .*"permafrost repair"/);
    expect(await repair(store)).toMatchObject({ lostRows: 0 });
    // The other graph's files: of no use alone, and built again with it.
    expect(indexNames(store)).toHaveLength(2);
    expect(kept(await neighbors(store, [picture], HNSW)).built).toBe(true);
    expect(indexNames(store)).toHaveLength(4);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('of another data set is left over: gc removes it, and what a killed process left', async () => {
    const store = copy();
    await neighbors(store, [picture], HNSW);
    const before = indexNames(store);
    rmSync(join(dataset, 'Train', 'down', '3.png'));
    await extract(dataset, { store, cut: 'block2_pool' });
    expect((await verify(store)).orphans).toEqual(before.map((name) => join('indexes', name)));
    const now = kept(await neighbors(store, [picture], HNSW));
    expect(now).toMatchObject({ built: true, queries: 1 });
    const names = indexNames(store).filter((name) => !before.includes(name));
    expect(names).toHaveLength(4);
    writeFileSync(join(store, 'indexes', `${names[0]}.123.tmp`), 'half');
    makeOld(join(store, 'indexes', `${names[0]}.123.tmp`));
    writeFileSync(join(store, 'indexes', 'hnsw-0123456789abcdef.bin'), 'a file without its seal');
    writeFileSync(join(store, 'indexes', 'notes.txt'), 'the user’s own');
    expect((await verify(store)).orphans).toHaveLength(6);
    await gc(store);
    expect(indexNames(store)).toEqual([...names, 'notes.txt']);
  });

  it('is not kept when building it is interrupted, and the store is free again', async () => {
    const store = copy();
    const stop = new AbortController();
    const work = {
      signal: stop.signal,
      listener: { progress: ({ stage }: Progress) => void (stage === 'indexing' && stop.abort()) },
    };
    await refused(neighbors(store, [picture], HNSW, work), 'INTERRUPTED');
    expect(indexNames(store)).toEqual([]);
    expect(kept(await neighbors(store, [picture], { ...HNSW, graphs: 1 })).built).toBe(true);
    expect(indexNames(store)).toHaveLength(2);
  });

  it('of an earlier version, which holds all rows, is searched as it is, and that is said', async () => {
    const store = copy();
    await neighbors(store, [picture], { ...HNSW, graphs: 1 });
    const [bin, json] = indexNames(store) as [string, string];
    rmSync(join(store, 'indexes', bin));
    const old = JSON.parse(readFileSync(join(store, 'indexes', json), 'utf8')) as OldSeal;
    rmSync(join(store, 'indexes', json));
    const { apart, ...of } = old.of;
    expect(apart).toBe(1);
    const opened = await openStore(store);
    const { matrix: X } = await opened.rows({ parts: 'avg', splits: ['train'], memory: 'matrix' });
    await keepIndex(store, [of as IndexKey], async ([path]) => {
      await buildGraphFiles(X, { metric: 'cosine', M: 16, efConstruction: 200, seed: 1 }, [path!]);
      return { k: 3, ef: 3, recall: 1, queries: 8 };
    });
    const notes: string[] = [];
    const work = { listener: { note: (text: string) => void notes.push(text) } };
    const found = await neighbors(store, [picture], { ...HNSW, graphs: 1 }, work);
    expect(kept(found)).toMatchObject({ built: false, heldOut: false, queries: 8, recall: 1 });
    expect(notes.join(' ')).toContain('An earlier version built the kept index');
    expect(neighborsText(found)).toContain('measured on 8 images of the graph, each without itself');
    expect(found.queries).toEqual((await neighbors(store, [picture], { k: 3 })).queries);
  });

  it('refuses a bound below features and graph, before the network runs', async () => {
    const { message } = await refused(neighbors(whole, [picture], { ...HNSW, memory: '100MB' }), 'OPTION_INVALID');
    expect(message).toMatch(
      /a graph with its features takes 0\.35 GB.*Give --memory 0\.4GB, or leave --index hnsw out/,
    );
  });

  it('is not kept while another process writes, and says so', async () => {
    const store = copy();
    const lock = await lockStore(store, 'another');
    await refused(neighbors(store, [picture], HNSW), 'STORE_LOCKED');
    await lock.release();
  });
});
