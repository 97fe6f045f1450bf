import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { buildGraphFiles as sourceBuild } from '../../../src/classify/neighbors/hnsw-threads.ts';
import { graphsHere } from '../../../src/classify/neighbors/graph-candidates.ts';
import { graphIndex } from '../../../src/classify/neighbors/hnsw.ts';
import { exactIndex } from '../../../src/classify/neighbors/exact.ts';
import { readGraph } from '../../../src/classify/neighbors/hnsw-graph.ts';
import { METRICS } from '../../../src/classify/neighbors/neighbor-index.ts';
import { selectRows } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { hnswMissing } from './hnsw-missing.ts';
import { clustered } from './neighbor-contract.ts';

// Threads are started from a file, which Node 20 must be able to run: the built one.
const { buildGraphFiles } = (await import(
  new URL('../../../dist/classify/neighbors/hnsw-threads.js', import.meta.url).href
)) as { readonly buildGraphFiles: typeof sourceBuild };

const missing = await hnswMissing();
const folder = temporaryFolders();
const paths = (count: number): string[] => {
  const own = folder();
  return Array.from({ length: count }, (_, i) => join(own, `${i}.bin`));
};
const OPTIONS = { metric: 'cosine', M: 16, efConstruction: 200, seed: 1 } as const;

describe.skipIf(missing !== undefined)(`graphs built by threads${missing ? ` [skipped: ${missing}]` : ''}`, () => {
  it.each(METRICS)('share the rows, and together find what exact search finds: %s', async (metric) => {
    const X = clustered(3001, 24, 1);
    for (const count of [1, 2, 3]) {
      const files = paths(count);
      let inserted = 0;
      await buildGraphFiles(X, { ...OPTIONS, metric }, files, {}, (rows) => (inserted += rows));
      expect(inserted).toBe(3001);
      const graphs = await Promise.all(files.map((path) => readGraph(path, metric, X.cols)));
      expect(graphs.map((graph) => graph.getCurrentCount())).toEqual(
        { 1: [3001], 2: [1501, 1500], 3: [1001, 1000, 1000] }[count],
      );
      const queries = selectRows(X, [0, 1, 2, 2999, 3000]);
      // As many candidates as there are rows in a graph: nothing is left to chance.
      const found = await graphIndex(graphsHere(graphs), X, metric, 3001).search(queries, 10);
      expect(found).toEqual(await exactIndex(matrixRows(X), metric).search(queries, 10));
    }
  });

  it('are the same bytes again', async () => {
    const X = clustered(2500, 16, 2);
    const [first, second] = [paths(2), paths(2)];
    await buildGraphFiles(X, OPTIONS, first);
    await buildGraphFiles(X, OPTIONS, second);
    first.forEach((path, i) => expect(readFileSync(path).equals(readFileSync(second[i]!))).toBe(true));
  });

  it('end when they are interrupted, and write nothing', async () => {
    const X = clustered(20_000, 128, 3);
    const files = paths(2);
    const stop = new AbortController();
    const built = buildGraphFiles(X, OPTIONS, files, { signal: stop.signal }, () => stop.abort());
    await expect(built).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(files.some((path) => existsSync(path))).toBe(false);
  });

  it('say what failed in a thread, all of them ended', async () => {
    const X = clustered(50, 8, 4);
    const wrong = { ...OPTIONS, seed: 'one' as unknown as number };
    await expect(buildGraphFiles(X, wrong, paths(2))).rejects.toThrow(/A thread that builds the index failed/);
  });

  it('are read back by who keeps them: hnswlib does not say that it could not write', async () => {
    const X = clustered(50, 8, 4);
    const [nowhere] = paths(1).map((path) => join(path, 'no', 'folder')) as [string];
    await buildGraphFiles(X, OPTIONS, [nowhere]);
    await rejection(readGraph(nowhere, 'cosine', 8), 'STORE_CORRUPT');
  });
});
