import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { row } from '../../../src/core/matrix.ts';
import type { HeadResult } from '../../../src/results/head-result.ts';
import { headParts, readHead } from '../../../src/store/read/heads/head-file.ts';
import { check } from '../../../src/workflows/check/check.ts';
import { probabilities } from '../../../src/workflows/train/trained-head.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { openHead } from '../../../src/workflows/train/files/head-files.ts';
import { inspect } from '../../../src/workflows/care/inspect.ts';
import { neighbors } from '../../../src/workflows/search/neighbors.ts';
import { predict } from '../../../src/workflows/predict/predict.ts';
import { reportData } from '../../../src/workflows/report/data.ts';
import { run } from '../../../src/workflows/run/run.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { matricesOf } from '../../support/stores.ts';
import { openStore } from '../../../src/store/open.ts';

const folder = temporaryFolders();
const options = { engine: 'onnxruntime', precision: 'fp32', batch: 1 } as const;
/** Written in another order than that of depth, on purpose. */
const CUT = 'block2_pool:max,block4_pool:avg,block3_pool:avg+max';
let dataset: string;
let store: string;
let head: HeadResult;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 4, 3);
  store = join(folder(), 'store');
  await extract(dataset, { ...options, store, cut: CUT });
  head = await train(store, {
    head: 'logistic',
    cut: 'block2_pool:max,block3_pool,block4_pool',
    pooling: 'avg',
  });
});

const picture = (name: string): string => join(dataset, name);

describe('a head on several cuts side by side', () => {
  it('says which parts it takes, the deepest first, in its result and in its file', async () => {
    expect(head.pooling).toBe('block4_pool:avg,block3_pool:avg,block2_pool:max');
    expect(head.file).toMatch(
      /logistic-block4_pool\.avg\+block3_pool\.avg\+block2_pool\.max-l2-[0-9a-f]{8}\.safetensors$/,
    );
    const { document } = await readHead(head.file!);
    expect(document).toMatchObject({ version: 2, width: 512 + 256 + 128, settings: { cut: 'block4_pool' } });
    expect(headParts(document)).toEqual([
      { cut: 'block4_pool', pooling: 'avg', width: 512 },
      { cut: 'block3_pool', pooling: 'avg', width: 256 },
      { cut: 'block2_pool', pooling: 'max', width: 128 },
    ]);
    expect(document.normalizer).toEqual({ kind: 'l2', features: 896, parts: [512, 256, 128] });
  });

  it('answers for an image as for its stored features', async () => {
    const opened = await openHead(head.file!);
    const loaded = await matricesOf(await openStore(store), headParts(opened.document), ['val']);
    const { X, samples } = loaded.get('val')!;
    const stored = await probabilities(opened, X);
    const images = samples.map(({ path }) => picture(path));
    const { predictions } = await predict(head.file!, images, { neighbors: 1 });
    for (const [i, { probabilities: found, label, neighbors: near }] of predictions.entries()) {
      expect(label).toBe(samples[i]!.label);
      // Batches of another size: the last digits may differ.
      Object.values(found).forEach((p, c) => expect(p).toBeCloseTo(row(stored, i)[c]!, 5));
      expect(near).toHaveLength(1);
    }
  });

  it('can be refused by a store that has not all of its parts any more, which is said', async () => {
    const moved = join(folder(), 'moved');
    await extract(dataset, { ...options, store: moved, cut: CUT });
    const { file } = await train(moved, { head: 'centroid', cut: 'block3_pool:max,block4_pool:avg' });
    await extract(dataset, { ...options, store: moved, cut: 'block4_pool:avg' });
    const notes: string[] = [];
    const { predictions } = await predict(
      file!,
      [picture('Val/down/0.png')],
      {},
      { listener: { note: (text) => notes.push(text) } },
    );
    expect(predictions).toMatchObject([{ label: 'down', neighbors: [] }]);
    expect(notes.join('\n')).toContain('(block3_pool:max is not there): no nearest images are shown.');
  });

  it('on a cut that is not the primary one predicts by that cut alone', async () => {
    const { file, pooling } = await train(store, { head: 'centroid', cut: 'block3_pool', pooling: 'max' });
    expect(pooling).toBe('block3_pool:max');
    expect((await readHead(file!)).document).toMatchObject({
      version: 1,
      width: 256,
      pooling: 'max',
      settings: { cut: 'block3_pool' },
    });
    expect((await predict(file!, [picture('Val/across/1.png')])).predictions).toMatchObject([{ label: 'across' }]);
  });

  it('that is asked for parts which were not extracted is refused, naming those that were', async () => {
    const { message } = await rejection(train(store, { cut: 'block3_pool:flatten' }), 'OPTION_INVALID');
    expect(message).toContain('block4_pool:avg, block3_pool:avg+max, block2_pool:max');
  });
});

describe('a store of several cuts', () => {
  it('finds a stored image as its own nearest, by parts side by side', async () => {
    const found = await neighbors(store, [picture('Train/across/2.png')], {
      cut: 'block2_pool:max,block4_pool',
      k: 2,
    });
    expect(found.pooling).toBe('block4_pool:avg,block2_pool:max');
    expect(found.queries[0]!.neighbors[0]).toMatchObject({ path: 'Train/across/2.png' });
    expect(found.queries[0]!.neighbors[0]!.distance).toBeLessThan(1e-5);
  });

  it('is checked and reported by its primary cut; what needs whole maps says that there are none', async () => {
    const checked = await check(store);
    expect(checked).toMatchObject({ images: 14, nearMissing: null, alike: [] });
    expect(checked.alikeMissing).toMatch(/block4_pool was extracted without flatten/);
    const data = await reportData(store);
    expect(data.images).toHaveLength(14);
  });

  it('is inspected set by set', async () => {
    const { sets, version } = await inspect(store);
    expect(version).toBe(5);
    expect(sets.map(({ cut, current, primary, poolings }) => ({ cut, current, primary, poolings }))).toEqual([
      { cut: 'block4_pool', current: true, primary: true, poolings: { avg: 14 } },
      { cut: 'block3_pool', current: true, primary: false, poolings: { avg: 14, max: 14 } },
      { cut: 'block2_pool', current: true, primary: false, poolings: { max: 14 } },
    ]);
  });

  it('is run: the heads on the primary cut, one on each other cut and one on all side by side', async () => {
    const result = await run(dataset, { ...options, store, cut: CUT });
    expect(result.extracted).toBe(0);
    const trained = result.heads.map(({ name, pooling }) => `${name} on ${pooling}`);
    expect(trained).toContain('kernel-ridge on avg');
    for (const parts of ['block3_pool:avg', 'block2_pool:max', 'block4_pool:avg,block3_pool:avg,block2_pool:max'])
      expect(trained).toContain(`logistic on ${parts}`);
    expect(result.skipped).toContainEqual({
      name: 'softmax (flatten)',
      reason: 'block4_pool was extracted without flatten.',
    });
    expect((await reportData(store)).judgement).toMatchObject({
      head: { pooling: result.heads[0]!.pooling },
    });
  });
});
