import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { matrix, row, type Matrix } from '../../src/core/matrix.ts';
import { DEFAULT_POOLINGS, generalisedMeans } from '../../src/core/sample.ts';
import { blocksOf } from '../../src/core/rows.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { openRows } from '../../src/store/read/access.ts';
import { madeOfMaps } from '../../src/store/read/stored-parts.ts';
import { storeFiles } from '../../src/store/read/file.ts';
import { storedList } from '../../src/store/read/samples.ts';
import { rejection } from '../support/errors.ts';
import { temporaryFolders } from '../support/folders.ts';
import { featuresOf, settingsWith, storedRow, WIDTHS } from '../support/stored-rows.ts';
import { fillStore } from '../support/stores.ts';

const folder = temporaryFolders();

/** In the order of their paths; they are stored in another one. */
const ROWS = Array.from({ length: 31 }, (_, i) =>
  storedRow(`${String(i).padStart(2, '0')}.jpg`, {
    label: i % 3 === 0 ? 'ant' : 'bee',
    split: (['train', 'train', 'val', 'train', 'test'] as const)[i % 5]!,
    ...(i % 10 === 9 && { content: '03.jpg' }),
  }),
);
const COUNTS = { train: 19, val: 6, test: 6 };

let path: string;
let store: Store;
beforeEach(async () => {
  path = join(folder(), 'store');
  const stored = { perShard: 4, settings: settingsWith({ dtype: 'float32' }) };
  await fillStore(path, [...ROWS].reverse(), stored);
  await fillStore(path, ROWS, stored);
  store = await openStore(path);
});

const listFile = (): string => join(path, store.manifest.dataset.samples!.name);

describe('a store', () => {
  it('reads its list of samples once, whatever is asked and however often', async () => {
    expect(await store.samples()).toEqual(ROWS);
    rmSync(listFile());
    expect(await store.samples()).toEqual(ROWS);
    expect(await store.counts()).toEqual(COUNTS);
    const train = await store.rows({ parts: 'flatten', splits: ['train'], memory: 'blocks' });
    const val = await store.rows({ parts: 'flatten', splits: ['val'], memory: 'matrix' });
    expect([train.rows, val.rows]).toEqual([COUNTS.train, COUNTS.val]);
    expect((await val.samplesOf([0])).get(0)).toEqual(ROWS.find(({ split }) => split === 'val'));
    await rejection((await openStore(path)).samples(), 'STORE_CORRUPT');
  });

  it('keeps no list that is too long, and decodes it whenever it is walked through', async () => {
    const files = storeFiles(path);
    const read = vi.spyOn(files, 'read');
    const list = storedList(files, store.manifest, 100);
    const samples = await list.samples();
    expect(Array.isArray(samples)).toBe(false);
    expect(samples.length).toBe(31);
    expect([...samples]).toEqual(ROWS);
    expect([...samples]).toEqual(ROWS);
    expect(read).toHaveBeenCalledTimes(1);
    expect(await list.counts()).toEqual(COUNTS);
    expect(await list.counts()).toEqual(COUNTS);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('reads a list again that could not be read before', async () => {
    const bytes = readFileSync(listFile());
    writeFileSync(listFile(), 'gone');
    const opened = await openStore(path);
    await rejection(opened.samples(), 'STORE_CORRUPT');
    await rejection(opened.counts(), 'STORE_CORRUPT');
    writeFileSync(listFile(), bytes);
    expect(await opened.counts()).toEqual(COUNTS);
  });

  it('tells of what is written later only when it is opened again', async () => {
    await fillStore(path, ROWS.slice(0, 5));
    expect((await (await openStore(path)).samples()).length).toBe(5);
    expect(store.manifest.dataset.samples!.sha256).not.toBe((await openStore(path)).manifest.dataset.samples!.sha256);
  });

  it('is refused where there is none', async () => {
    await rejection(openStore(join(path, 'nowhere')), 'STORE_NOT_FOUND');
  });

  it('names the parts of its features, and refuses others', async () => {
    expect(store.parts('avg')).toMatchObject([{ cut: 'block5_pool', pooling: 'avg', width: WIDTHS.avg }]);
    await rejection(
      Promise.resolve().then(() => store.parts([{ cut: 'block4_pool', pooling: 'avg' }])),
      'OPTION_INVALID',
    );
  });

  it('is locked for one writer at a time', async () => {
    const lock = await store.lock('one');
    await rejection(store.lock('other'), 'STORE_LOCKED');
    await lock.release();
    await (await store.lock('other')).release();
  });
});

describe('gem of a store that keeps the map alone', () => {
  const request = { parts: 'gem', splits: ['val', 'train'] } as const;

  function meansOf(maps: Matrix): Matrix {
    const means = matrix(maps.rows, WIDTHS.avg);
    for (let i = 0; i < maps.rows; i++) generalisedMeans(row(maps, i), WIDTHS.avg, means.data, i * WIDTHS.avg);
    return means;
  }

  it.each(['float16', 'float32'] as const)('is made of the map as it is read, in %s', async (dtype) => {
    const own = join(folder(), 'own');
    await fillStore(own, ROWS, { perShard: 4, settings: settingsWith({ dtype }) });
    const opened = await openStore(own);
    const { matrix: maps } = await opened.rows({ ...request, parts: 'flatten', memory: 'matrix' });
    const wanted = meansOf(maps);
    const held = await opened.rows({ ...request, memory: 'matrix' });
    expect(held.matrix).toEqual(wanted);
    const streamed = await opened.rows({ ...request, memory: 'blocks' });
    expect(streamed.digest).toBe(held.digest);
    for await (const { start, X } of blocksOf(streamed))
      for (let i = 0; i < X.rows; i++) expect(row(X, i)).toEqual(row(wanted, streamed.places[start + i]!));
    const { sha256, id } = [...(await opened.samples())].find(({ split }) => split === 'val')!;
    expect(sha256.startsWith(id)).toBe(true);
    expect((await openRows(opened).rowsById([id], 'gem')).get(id)).toEqual(row(wanted, 0));
    expect(madeOfMaps(opened.parts('gem'))).toEqual([
      expect.stringMatching(/block5_pool:gem is made of the stored maps/),
    ]);
    expect(madeOfMaps(opened.parts('avg+max'))).toEqual([]);
  });

  it('stands beside other poolings, and blocks of l2 lengths are scaled as others are', async () => {
    const parts = [
      { cut: 'block5_pool', pooling: 'gem' },
      { cut: 'block5_pool', pooling: 'avg' },
    ] as const;
    const { matrix: both } = await store.rows({ parts, memory: 'matrix' });
    const { matrix: maps } = await store.rows({ parts: 'flatten', memory: 'matrix' });
    const { matrix: averages } = await store.rows({ parts: 'avg', memory: 'matrix' });
    const means = meansOf(maps);
    for (let i = 0; i < both.rows; i++) expect([...row(both, i)]).toEqual([...row(means, i), ...row(averages, i)]);
    const streamed = await store.rows({ parts: 'gem', memory: 'blocks' });
    const scaled = await streamed.read(1, new Float32Array(streamed.rows).fill(0.5));
    const at = streamed.places[streamed.starts[1]!]!;
    expect([...row(scaled, 0)]).toEqual([...row(means, at)].map((value) => value / 2));
  });
});

describe('features of a store', () => {
  it('avg+max are both side by side', async () => {
    const { matrix: both, parts } = await store.rows({ parts: 'avg+max', memory: 'matrix' });
    expect(parts.map(({ cut, pooling }) => `${cut}:${pooling}`)).toEqual(['block5_pool:avg', 'block5_pool:max']);
    const { features } = featuresOf(ROWS);
    const [avg, max] = [features.get('avg')!, features.get('max')!];
    for (let i = 0; i < both.rows; i++) expect([...row(both, i)]).toEqual([...row(avg, i), ...row(max, i)]);
  });

  it.each(DEFAULT_POOLINGS)('are a matrix in the order of the list, without splits: %s', async (parts) => {
    const { matrix, places, labels } = await store.rows({ parts, memory: 'matrix' });
    expect(matrix).toEqual(featuresOf(ROWS).features.get(parts));
    expect([...places]).toEqual([...ROWS.keys()]);
    expect(labels).toEqual(ROWS.map(({ label }) => label));
  });

  it.each(DEFAULT_POOLINGS)('are the same in a matrix and in blocks, split by split: %s', async (parts) => {
    const request = { parts, splits: ['val', 'train'] } as const;
    const held = await store.rows({ ...request, memory: 'matrix' });
    const streamed = await store.rows({ ...request, memory: 'blocks' });
    const samples = ['val', 'train'].flatMap((split) => ROWS.filter((row) => row.split === split));
    expect(held.matrix).toEqual(featuresOf(samples).features.get(parts));
    expect(streamed.matrix).toBeUndefined();
    expect(streamed.starts.length).toBeGreaterThan(2);
    expect(held.digest).toBe(streamed.digest);
    const named = await streamed.samplesOf(streamed.places);
    for await (const { start, X } of blocksOf(streamed)) {
      for (let i = 0; i < X.rows; i++) {
        const place = streamed.places[start + i]!;
        expect(named.get(place)).toEqual(samples[place]);
        expect(streamed.labels[start + i]).toBe(held.labels[place]);
        expect(X.data.slice(i * X.cols, (i + 1) * X.cols)).toEqual(
          held.matrix.data.slice(place * X.cols, (place + 1) * X.cols),
        );
      }
    }
  });

  it('are those of other samples where these count instead: other labels, splits and order', async () => {
    const given = [ROWS[9]!, ROWS[2]!, ROWS[3]!].map((row) => ({
      ...row,
      label: 'cat',
      split: 'test' as const,
    }));
    const other = store.withSamples(given);
    expect(await other.counts()).toEqual({ train: 0, val: 0, test: 3 });
    const rows = await other.rows({ parts: 'avg', splits: ['test'], memory: 'matrix' });
    expect(rows.matrix).toEqual(featuresOf(given).features.get('avg'));
    expect(rows.labels).toEqual(['cat', 'cat', 'cat']);
    expect(await store.counts()).toEqual(COUNTS);
  });

  it('may lie in memory that threads share', async () => {
    const { matrix } = await store.rows({ parts: 'avg', memory: 'matrix', shared: true });
    expect(matrix.data.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect([...matrix.data]).toEqual([...featuresOf(ROWS).features.get('avg')!.data]);
  });

  it('are a matrix where that fits the memory with all that lies beside it, and say why they are not', async () => {
    const splits = ['train'] as const;
    const bytes = 4 * COUNTS.train * WIDTHS.avg;
    const within = (bound: number) =>
      store.rows({ parts: 'avg', splits, memory: { bound, otherBytes: 1000, copies: 2 } });
    const held = await within(1000 + 2 * bytes);
    expect(held.matrix).toBeDefined();
    expect(held.reason).toBeUndefined();
    const streamed = await within(1000 + 2 * bytes - 1);
    expect(streamed.matrix).toBeUndefined();
    expect(streamed.reason).toMatch(/^in memory they would take about 0\.00 GB, above the 0\.00 GB allowed$/);
    const alone = await store.rows({ parts: 'avg', splits, memory: { bound: bytes } });
    expect(alone.matrix).toBeDefined();
  });

  it('say what they take: a matrix its bytes, blocks the largest of them and its file', async () => {
    const held = await store.rows({ parts: 'flatten', memory: 'matrix' });
    const streamed = await store.rows({ parts: 'flatten', memory: 'blocks' });
    const bytes = 4 * 31 * held.cols;
    expect(held.openBytes).toBeGreaterThanOrEqual(bytes);
    expect(held.openBytes).toBeLessThan(bytes + 100 * 31);
    expect(held.peakBytes).toBeGreaterThan(held.openBytes);
    expect(streamed.openBytes).toBeLessThan(held.peakBytes);
  });
});
