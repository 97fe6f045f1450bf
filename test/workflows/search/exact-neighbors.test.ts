import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NeighborResult } from '../../../src/results/answer-results.ts';
import { random } from '../../../src/core/random.ts';
import { selectRows, type Matrix } from '../../../src/core/matrix.ts';
import type { Progress } from '../../../src/core/listener.ts';
import { exactIndex } from '../../../src/classify/neighbors/exact.ts';
import { balanced } from '../../../src/classify/normalize.ts';
import { METRICS } from '../../../src/classify/neighbors/neighbor-index.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import type { Store } from '../../../src/store/open.ts';
import { exactNeighbors } from '../../../src/workflows/search/exact-neighbors.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { commitSamples, fillStore, openMade, matricesOf } from '../../support/stores.ts';

const folder = temporaryFolders();

/** Stored in another order than that of the paths, in shards of seven, some pictures under several names. */
async function madeStore(): Promise<Store> {
  const rows = Array.from({ length: 60 }, (_, i) => {
    const path = `${String(i).padStart(2, '0')}.jpg`;
    const content = i % 6 === 5 ? `${String(i - 3).padStart(2, '0')}.jpg` : path;
    return storedRow(path, { content, label: i % 2 ? 'ant' : 'bee', split: i % 4 === 0 ? 'val' : 'train' });
  });
  const shuffled = random(3).shuffle([...rows]);
  const made = await fillStore(join(folder(), 'store'), shuffled, { perShard: 7 });
  const { store, manifest, set } = made;
  await commitSamples({ store, manifest, set }, rows);
  return openMade(made);
}

const plan = { owner: 'neighbors', bound: Infinity, otherBytes: 0 } as const;

describe('exact neighbours in a store', () => {
  it.each(METRICS)('are those of the features in memory, in a stream: %s', async (metric) => {
    const store = await madeStore();
    for (const pooling of ['flatten', 'avg'] as const) {
      const parts = store.parts(pooling);
      const { X, samples } = (await matricesOf(store, pooling, ['train'])).get('train')!;
      const queries = selectRows(X, [0, 7, X.rows - 1]);
      const found = await exactIndex(matrixRows(X), metric).search(queries, 9);
      const wanted = Array.from({ length: 3 }, (_, q) =>
        Array.from({ length: 9 }, (_unused, j): NeighborResult => {
          const { id, path, label, split } = samples[found.indices[9 * q + j]!]!;
          return { id, path, label, split, distance: found.distances[9 * q + j]! };
        }),
      );
      const seen: Progress[] = [];
      const search = await exactNeighbors(
        { ...plan, store, parts, splits: ['train'], metric },
        { listener: { progress: (state) => void seen.push(state) } },
      );
      expect(await search(queries, 9)).toEqual(wanted);
      expect(seen.at(-1)).toMatchObject({ stage: 'searching', done: X.rows, total: X.rows });
    }
  });

  it.each(METRICS)('by parts side by side are those of the balanced features in memory: %s', async (metric) => {
    const store = await madeStore();
    const parts = store.parts([
      { cut: 'block5_pool', pooling: 'max' },
      { cut: 'block5_pool', pooling: 'flatten' },
    ]);
    const widths = parts.map(({ width }) => width);
    const { X, samples } = (await matricesOf(store, parts, ['train'])).get('train')!;
    const queries = selectRows(X, [0, 7, X.rows - 1]);
    const found = await exactIndex(matrixRows(balanced(X, widths)), metric).search(balanced(queries, widths), 9);
    const search = await exactNeighbors({ ...plan, store, parts, splits: ['train'], metric }, {});
    const lists = await search(queries, 9);
    expect(lists.flat().map(({ path }) => path)).toEqual(Array.from(found.indices, (i) => samples[i]!.path));
    expect(lists.flat().map(({ distance }) => distance)).toEqual([...found.distances]);
  });

  it('come from all splits together, equal distances split by split in the order of the paths', async () => {
    const store = await madeStore();
    const parts = store.parts('avg');
    const loaded = await matricesOf(store, 'avg', ['train', 'val', 'test']);
    const [train, val] = [loaded.get('train')!, loaded.get('val')!];
    const X: Matrix = {
      data: Float32Array.from([...train.X.data, ...val.X.data]),
      rows: 60,
      cols: train.X.cols,
    };
    const samples = [...train.samples, ...val.samples];
    const found = await exactIndex(matrixRows(X), 'cosine').search(X, 12);
    const search = await exactNeighbors(
      { ...plan, store, parts, splits: ['train', 'val', 'test'], metric: 'cosine' },
      {},
    );
    expect((await search(X, 12)).flat().map(({ path }) => path)).toEqual(
      Array.from(found.indices, (i) => samples[i]!.path),
    );
  });

  it('refuse a bound below what a shard takes, and stop on abort', async () => {
    const store = await madeStore();
    const parts = store.parts('flatten');
    const rows = { ...plan, store, parts, splits: ['train'], metric: 'cosine' } as const;
    const { message } = await rejection(exactNeighbors({ ...rows, bound: 1e8 }, {}), 'OPTION_INVALID');
    expect(message).toMatch(/^neighbors: memory is 0\.10 GB, and reading these features a shard at a time takes/);
    const search = await exactNeighbors(rows, { signal: AbortSignal.abort() });
    const { X } = (await matricesOf(store, 'flatten', ['train'])).get('train')!;
    await rejection(search(X, 3), 'INTERRUPTED');
  });
});
