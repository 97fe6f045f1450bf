import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StoredSample } from '../../../src/store/format/shard.ts';
import type { sweep as sourceSweep } from '../../../src/workflows/sweep/sweep.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { imagesWithin, roomForSweep, type GroupSize } from '../../../src/workflows/sweep/memory.ts';
import { sampleTrain } from '../../../src/workflows/sweep/sample.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

// Threads are started from a file, which Node 20 must be able to run: the built one. So this is the built workflow too.
type Workflow = { readonly sweep: typeof sourceSweep };
const { sweep } = (await import(new URL('../../../dist/workflows/sweep/sweep.js', import.meta.url).href)) as Workflow;

const folder = temporaryFolders();
const named = (count: number, given: (i: number) => Partial<StoredSample>): StoredSample[] =>
  Array.from({ length: count }, (_, i) => storedRow(`${String(i).padStart(4, '0')}.jpg`, given(i)));

describe('the sample of a sweep', () => {
  const rows = named(400, (i) => ({ label: i % 2 === 0 ? 'ant' : 'bee', split: i < 300 ? 'train' : 'val' }));
  const train = rows.slice(0, 300);

  it('is all training images where there is room, in their order', () => {
    const samples = sampleTrain(rows, 300, 300);
    expect(samples).toEqual(train);
  });

  it('is else those whose SHA-256 is lowest, as many as are allowed', () => {
    const samples = sampleTrain(rows, 300, 120);
    const digests = train.map(({ sha256 }) => sha256).sort();
    expect(samples).toEqual(train.filter(({ sha256 }) => sha256 <= digests[119]!));
    expect(samples).toHaveLength(120);
  });

  it('holds copies of a picture together, and no more than are allowed', () => {
    const copied = named(300, (i) => ({ label: i % 2 === 0 ? 'ant' : 'bee' })).flatMap((row) => [
      row,
      { ...row, path: `${row.path}-copy` },
    ]);
    const samples = sampleTrain(copied, copied.length, 121);
    expect(samples).toHaveLength(120);
    expect(new Set(samples.map(({ sha256 }) => sha256)).size).toBe(60);
  });

  it('loses no class: a rare one keeps its ten lowest, and the others give way', () => {
    // Of 400 images 30 are rare, and those have the highest digests: a sample by digest alone would have none.
    const byDigest = [...train].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    const rare = new Set(byDigest.slice(-30).map(({ path }) => path));
    const mixed = train.map((row) => (rare.has(row.path) ? { ...row, label: 'rare' } : row));
    const samples = sampleTrain(mixed, mixed.length, 100);
    expect(samples).toHaveLength(100);
    const kept = samples.filter(({ label }) => label === 'rare').map(({ sha256 }) => sha256);
    expect(kept.sort()).toEqual(byDigest.slice(-30, -20).map(({ sha256 }) => sha256));
    const others = samples.filter(({ label }) => label !== 'rare').map(({ sha256 }) => sha256);
    expect(others.sort()).toEqual(byDigest.slice(0, 90).map(({ sha256 }) => sha256));
  });

  it('keeps fewer of each class where there are many, and is refused where there is no room for two', async () => {
    const many = named(300, (i) => ({ label: `class ${i % 30}` }));
    const samples = sampleTrain(many, many.length, 100);
    expect(samples.length).toBeGreaterThan(80);
    expect(samples.length).toBeLessThanOrEqual(100);
    for (let c = 0; c < 30; c++)
      expect(samples.filter(({ label }) => label === `class ${c}`).length).toBeGreaterThanOrEqual(3);
    const refused = () => Promise.resolve().then(() => sampleTrain(many, many.length, 59));
    const { message } = await rejection(refused(), 'OPTION_INVALID');
    expect(message).toMatch(/59 images have no room for two different ones of each of 30 classes.*--images/);
  });
});

describe('the room of a sweep', () => {
  const head = createHead('logistic');
  const pooled: GroupSize = { key: 'avg', cols: 512, normalize: 'l2', pca: 0, views: 0, head };
  const room = (groups: readonly GroupSize[], bound = 1e9): number =>
    imagesWithin(groups, 5, { bound, most: 1e9, least: 10 });

  it('is smaller for what takes more: wider features, several of them, components, views, less memory', () => {
    const plain = room([pooled]);
    expect(plain).toBeGreaterThan(15_000);
    for (const more of [
      [{ ...pooled, cols: 25_088 }],
      [pooled, { ...pooled, key: 'max' }],
      [{ ...pooled, normalize: 'standard' as const, pca: 64 }],
      [{ ...pooled, views: 2 }],
    ])
      expect(room(more)).toBeLessThan(plain);
    expect(room([pooled], 6e8)).toBeLessThan(plain);
    expect(room([pooled, pooled])).toBe(plain);
  });

  it('has threads for as many as work on few images, and fewer on many', () => {
    const threadsAt = (images: number): number =>
      roomForSweep([pooled], 5, images, { bound: 1e9, threads: 64 }).threads;
    expect(threadsAt(200)).toBeGreaterThan(8);
    expect(threadsAt(room([pooled]))).toBe(2);
    expect(roomForSweep([pooled], 5, 200, { bound: 1e9, threads: 3 }).threads).toBe(3);
  });

  it('is refused where there is none for two images a fold', () => {
    expect(() => room([pooled], 2e8)).toThrow(/sweep: memory is 0\.20 GB, and a sweep of 10 images .* 0\.3\d GB/);
  });
});

describe('a sweep within a memory that its images do not fit', () => {
  /** Less than 400 rows of 4,000 numbers take with the threads, and less than train takes for them in memory. */
  const BOUND = '360MB';
  const widths = { flatten: 4000, avg: 6, max: 6 };
  const grid = {
    pooling: 'flatten' as const,
    normalize: 'l2' as const,
    pca: 0,
    heads: [{ head: 'logistic', C: [0.1, 1] }, { head: 'knn' }],
  };
  let store: string;

  beforeAll(async () => {
    const rows = named(500, (i) => ({
      label: i % 2 === 0 ? 'ant' : 'bee',
      split: i < 400 ? 'train' : 'val',
    }));
    ({ store } = await fillStore(join(folder(), 'store'), rows, { widths, perShard: 50 }));
  });

  it('cross-validates a sample, says of how many, and fits the best on all images in streams', async () => {
    const notes: string[] = [];
    const work = { listener: { note: (text: string) => notes.push(text) } };
    const result = await sweep(store, { grid, memory: BOUND, save: true }, work);
    expect(result).toMatchObject({ images: 400, computed: 3, passedOver: [] });
    expect(result.crossValidated).toBeGreaterThanOrEqual(50);
    expect(result.crossValidated).toBeLessThan(200);
    expect(result.best).toMatchObject({ trained: 400, validated: 100 });
    expect(notes[0]).toBe(
      `${result.crossValidated} of 400 training images are cross-validated, those whose SHA-256 is lowest: no more fit 360MB (--memory). The best is fitted on all of them.`,
    );
    expect(notes.join()).toMatch(/The features are read in streams/);
    expect(readFileSync(result.best.file!).length).toBeGreaterThan(0);
  });

  it('keeps what it found apart from what is found on all images, and knows both again', async () => {
    const whole = await sweep(store, { grid });
    expect(whole).toMatchObject({ computed: 3, images: 400, crossValidated: 400 });
    const some = await sweep(store, { grid, memory: BOUND });
    expect(some).toMatchObject({ computed: 0, reused: 3 });
    expect(some.ledger).not.toBe(whole.ledger);
    expect(await sweep(store, { grid })).toMatchObject({ computed: 0, reused: 3 });
    expect(some.candidates.map(({ id }) => id)).not.toEqual(
      expect.arrayContaining(whole.candidates.map(({ id }) => id)),
    );
  });

  it('takes the same sample whatever the number of threads', async () => {
    const one = await sweep(store, { grid, memory: '362MB', workers: 1 });
    const { crossValidated, ledger } = one;
    expect(one).toMatchObject({ computed: 3, workers: 1 });
    expect(await sweep(store, { grid, memory: '362MB', workers: 2 })).toMatchObject({
      computed: 0,
      crossValidated,
      ledger,
      workers: 2,
    });
  });

  it('passes over a head that cannot be fitted in streams, and is refused where all are such', async () => {
    const both = { ...grid, heads: [{ head: 'knn-hnsw' }, { head: 'knn' }] };
    const { candidates, passedOver, best } = await sweep(store, { grid: both, memory: BOUND });
    expect(candidates.map(({ head }) => head)).toEqual(['knn-hnsw', 'knn']);
    expect(passedOver).toEqual([{ rank: 1, reason: expect.stringMatching(/"knn-hnsw" cannot/) as string }]);
    expect(best).toMatchObject({ name: 'knn', trained: 400 });
    const alone = { ...grid, heads: [{ head: 'knn-hnsw' }] };
    await expect(sweep(store, { grid: alone, memory: BOUND })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/None of the 1 candidates can be fitted .*"knn-hnsw" cannot/) as string,
    });
  });

  it('takes at most --images, and says so', async () => {
    const notes: string[] = [];
    const work = { listener: { note: (text: string) => notes.push(text) } };
    const small = { ...grid, pooling: 'avg' as const };
    const result = await sweep(store, { grid: small, images: 150 }, work);
    expect(result).toMatchObject({ images: 400, crossValidated: 150, best: { trained: 400 } });
    expect(notes.join()).toMatch(/150 of 400 training images .* as many as --images allows/);
  });
});
