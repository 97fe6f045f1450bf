import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { row, type Matrix } from '../../../src/core/matrix.ts';
import type { PoolingChoice } from '../../../src/core/sample.ts';
import { openStore } from '../../../src/store/open.ts';
import { headParts, readHead } from '../../../src/store/read/heads/head-file.ts';
import { storedNetworks } from '../../../src/store/read/stored-networks.ts';
import { inspect } from '../../../src/workflows/care/inspect.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { tasksOfRun } from '../../../src/workflows/run/tasks.ts';
import { neighbors } from '../../../src/workflows/search/neighbors.ts';
import { predict } from '../../../src/workflows/predict/predict.ts';
import type { sweep as sourceSweep } from '../../../src/workflows/sweep/sweep.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

// Its threads run compiled files.
type Workflow = { readonly sweep: typeof sourceSweep };
const { sweep } = (await import(new URL('../../../dist/workflows/sweep/sweep.js', import.meta.url).href)) as Workflow;

const folder = temporaryFolders();
const engine = { engine: 'onnxruntime', precision: 'fp32' } as const;
const options = { ...engine, batch: 1 } as const;
let dataset: string;
/** With the map, and so with what follows from it. */
let maps: string;
/** Without it. */
let pooled: string;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 4, 2);
  maps = join(folder(), 'maps');
  pooled = join(folder(), 'pooled');
  await extract(dataset, { ...options, store: maps, cut: 'block1_pool' });
  await extract(dataset, { ...options, store: pooled, cut: 'block1_pool:avg+gem' });
});

async function rowsOf(store: string, parts: PoolingChoice): Promise<Matrix> {
  return (await (await openStore(store)).rows({ parts, memory: 'matrix' })).matrix;
}

/** The largest difference of two rows over the largest value. */
const apart = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...b);

describe('gem', () => {
  it('is stored where it is asked for, and is what the stored map gives but for the rounding of float16', async () => {
    const [made, stored] = [await rowsOf(maps, 'gem'), await rowsOf(pooled, 'gem')];
    expect([made.rows, made.cols]).toEqual([12, 64]);
    for (let i = 0; i < 12; i++) {
      expect(apart(row(made, i), row(stored, i))).toBeLessThan(5e-4);
      expect(apart(row(made, i), row(stored, (i + 1) % 12))).toBeGreaterThan(5e-3);
    }
    expect((await inspect(pooled)).sets[0]).toMatchObject({ poolings: { avg: 12, gem: 12 }, rows: 12 });
    expect((await verify(pooled)).damaged).toEqual([]);
    expect((await extract(dataset, { ...options, store: pooled, cut: 'block1_pool:gem' })).extracted).toBe(0);
  });

  it('trains a head on a store that has the map alone, says so, and answers for an image', async () => {
    const notes: string[] = [];
    const listener = { note: (text: string) => void notes.push(text) };
    const result = await train(maps, { head: 'lda', pooling: 'gem', normalize: 'sqrt' }, {}, { listener });
    expect(result).toMatchObject({ pooling: 'gem', normalize: 'sqrt' });
    expect(notes).toContainEqual(expect.stringMatching(/^block1_pool:gem is made of the stored maps of block1_pool/));
    const image = join(dataset, 'Val/across/0.png');
    const { predictions } = await predict(result.file!, [image], { engine: 'onnxruntime' });
    expect(predictions[0]).toMatchObject({ guess: 'across' });
    const found = await neighbors(maps, [image], { ...engine, pooling: 'gem', split: 'all', k: 1 });
    expect(found).toMatchObject({ pooling: 'gem' });
    expect(found.queries[0]!.neighbors[0]!.distance).toBeLessThan(1e-6);
  });

  it('cannot be had of a store with neither, which says how to get it', async () => {
    const error = await rejection(train(pooled, { pooling: 'flatten' }), 'OPTION_INVALID');
    expect(error.message).toMatch(/has no block1_pool:flatten/);
    const store = join(folder(), 'averages');
    await extract(dataset, { ...options, store, cut: 'block1_pool:avg' });
    const { message } = await rejection(train(store, { pooling: 'gem' }), 'OPTION_INVALID');
    expect(message).toMatch(/has no block1_pool:gem.*--cut block1_pool:avg,block1_pool:gem/);
  });
});

describe('avg+max', () => {
  it('is one choice of train, and its head reads both', async () => {
    const result = await train(maps, { head: 'logistic', pooling: 'avg+max' });
    expect(result.pooling).toBe('avg+max');
    const { document } = await readHead(result.file!);
    expect(headParts(document).map(({ cut, pooling, width }) => [cut, pooling, width])).toEqual([
      ['block1_pool', 'avg', 64],
      ['block1_pool', 'max', 64],
    ]);
    expect(document.normalizer).toEqual({ kind: 'l2', features: 128, parts: [64, 64] });
    const image = join(dataset, 'Val/down/0.png');
    const { predictions } = await predict(result.file!, [image], { engine: 'onnxruntime' });
    expect(predictions[0]).toMatchObject({ guess: 'down' });
    const found = await neighbors(maps, [image], { ...engine, pooling: 'avg+max', split: 'all', k: 1 });
    expect(found).toMatchObject({ pooling: 'avg+max' });
    expect(found.queries[0]!.neighbors[0]!.distance).toBeLessThan(1e-6);
  });

  it('is a value of the axis pooling of a sweep, beside any normalisation, and is found again', async () => {
    const grid = {
      pooling: ['avg+max', 'gem'],
      normalize: ['sqrt', 'power'],
      pca: 0,
      heads: [{ head: 'lda', shrinkage: [0.3] }, { head: 'centroid' }],
    } as const;
    const { candidates, skipped } = await sweep(maps, { grid, folds: 2, workers: 1 });
    expect(skipped).toEqual([]);
    expect(candidates.map(({ pooling, normalize }) => `${pooling} ${normalize}`).sort()).toEqual(
      ['avg+max', 'gem'].flatMap((a) => ['power', 'sqrt'].flatMap((b) => [`${a} ${b}`, `${a} ${b}`])),
    );
    const again = await sweep(maps, { grid, folds: 2, workers: 1 });
    expect(again).toMatchObject({ computed: 0, reused: 8 });
  });

  it('is left out of a run whose store lacks one of them, as any pooling is', async () => {
    const head = { head: 'logistic', normalize: 'l2' } as const;
    const heads = [
      { ...head, pooling: 'avg+max' },
      { ...head, pooling: 'gem' },
    ] as const;
    const whole = tasksOfRun(storedNetworks(await openStore(maps)), heads, false);
    const poolings = ({ groups }: typeof whole) => groups.map(({ features }) => features.map(({ pooling }) => pooling));
    expect(poolings(whole)).toEqual([['avg', 'max'], ['gem']]);
    const some = tasksOfRun(storedNetworks(await openStore(pooled)), heads, false);
    expect(poolings(some)).toEqual([['gem']]);
    expect(some.skipped).toEqual([
      { name: 'logistic (avg+max)', reason: 'block1_pool was extracted without avg+max.' },
    ]);
  });
});
