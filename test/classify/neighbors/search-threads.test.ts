import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exactIndex } from '../../../src/classify/neighbors/exact.ts';
import { graphsHere } from '../../../src/classify/neighbors/graph-candidates.ts';
import { graphIndex, rowsApart, rowsWithout } from '../../../src/classify/neighbors/hnsw.ts';
import { readGraph } from '../../../src/classify/neighbors/hnsw-graph.ts';
import type { buildGraphFiles as sourceBuild } from '../../../src/classify/neighbors/hnsw-threads.ts';
import type * as Source from '../../../src/classify/neighbors/search-threads.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { stacked } from '../../../src/core/matrix.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { hnswMissing } from './hnsw-missing.ts';
import { clustered } from './neighbor-contract.ts';

// Threads are started from a file, which Node 20 must be able to run: the built one.
const built = (name: string): Promise<unknown> =>
  import(new URL(`../../../dist/classify/neighbors/${name}.js`, import.meta.url).href);
const { searchThreads, teamsFor } = (await built('search-threads')) as typeof Source;
const { buildGraphFiles } = (await built('hnsw-threads')) as { readonly buildGraphFiles: typeof sourceBuild };

const missing = await hnswMissing();
const folder = temporaryFolders();
const OPTIONS = { metric: 'cosine', M: 8, efConstruction: 40, seed: 1 } as const;

describe('graphs are dealt to threads', () => {
  it('in as many copies as there is memory for, at most one a core', () => {
    const [graph, thread] = [1e9, 30e6];
    expect(teamsFor(2, graph, 0, 2)).toEqual({ teams: 1, size: 2 });
    expect(teamsFor(1, graph, 0, 2)).toEqual({ teams: 1, size: 1 });
    expect(teamsFor(2, graph, graph + thread, 2)).toEqual({ teams: 2, size: 1 });
    expect(teamsFor(2, graph, graph + thread - 1, 8)).toEqual({ teams: 1, size: 2 });
    expect(teamsFor(2, graph, 3 * (graph + thread), 8)).toEqual({ teams: 4, size: 2 });
    expect(teamsFor(3, graph, 100 * graph, 8)).toEqual({ teams: 8, size: 1 });
    expect(teamsFor(2, graph, -graph, 4)).toEqual({ teams: 1, size: 2 });
  });
});

describe.skipIf(missing !== undefined)(`a search by threads${missing ? ` [skipped: ${missing}]` : ''}`, () => {
  it('gives what one thread gives, whatever the threads and their copies', async () => {
    const X = clustered(1500, 16, 1);
    const own = folder();
    const paths = [0, 1, 2].map((i) => join(own, `${i}.bin`));
    await buildGraphFiles(X, OPTIONS, paths);
    const here = graphsHere(await Promise.all(paths.map((path) => readGraph(path, 'cosine', 16))));
    // More than a batch of one team.
    const queries = stacked([clustered(1100, 16, 2), clustered(3, 16, 3)]);
    const expected = await graphIndex(here, X, 'cosine', 12).search(queries, 5);
    for (const teams of [
      { teams: 1, size: 1 },
      { teams: 1, size: 3 },
      { teams: 2, size: 2 },
      { teams: 3, size: 1 },
    ]) {
      const threads = await searchThreads(paths, 'cosine', 16, teams);
      try {
        const index = graphIndex(threads, X, 'cosine', 12);
        // Two at once: neither may get the other's answers.
        const [all, few] = await Promise.all([index.search(queries, 5), index.search(clustered(3, 16, 3), 5)]);
        expect(all).toEqual(expected);
        expect([...few.indices]).toEqual([...expected.indices.subarray(1100 * 5)]);
      } finally {
        await threads.end();
      }
    }
  });

  it('searches exactly where a graph yields too few rows, in the order of the queries', async () => {
    // Copies of one row: a graph does not reach them all.
    const one = clustered(1, 4, 5);
    const X = stacked([...Array.from({ length: 300 }, () => one), clustered(100, 4, 6)]);
    const own = folder();
    const paths = [0, 1].map((i) => join(own, `${i}.bin`));
    await buildGraphFiles(X, { ...OPTIONS, M: 2, efConstruction: 2 }, paths);
    const threads = await searchThreads(paths, 'cosine', 4, { teams: 2, size: 1 });
    try {
      const queries = stacked([clustered(2, 4, 7), one, one]);
      const found = await graphIndex(threads, X, 'cosine', 2).search(queries, 380);
      expect(found).toEqual(await exactIndex(matrixRows(X), 'cosine').search(queries, 380));
    } finally {
      await threads.end();
    }
  });

  it('says which file is no graph, and ends its threads', async () => {
    const search = searchThreads([join(folder(), 'none.bin')], 'cosine', 4, { teams: 2, size: 1 });
    await expect(search).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

describe.skipIf(missing !== undefined)(`rows apart${missing ? ` [skipped: ${missing}]` : ''}`, () => {
  it('are in no graph, and are found all the same', async () => {
    const X = clustered(500, 12, 9);
    const apart = rowsApart(500, 1);
    expect(apart).toHaveLength(100);
    const held = rowsWithout(500, apart);
    expect([...apart, ...held].sort((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const path = join(folder(), 'graph.bin');
    await buildGraphFiles(X, OPTIONS, [path], {}, undefined, held);
    const graph = await readGraph(path, 'cosine', 12);
    expect(graph.getCurrentCount()).toBe(400);
    const queries = clustered(20, 12, 10);
    // As many candidates as there are rows in the graph: nothing is left to chance.
    const found = await graphIndex(graphsHere([graph]), X, 'cosine', 400, apart).search(queries, 10);
    expect(found).toEqual(await exactIndex(matrixRows(X), 'cosine').search(queries, 10));
  });
});
