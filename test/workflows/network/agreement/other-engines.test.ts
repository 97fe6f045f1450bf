import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extract, neighbors, openClassifier, predict, train, type PredictOptions } from '../../../../src/index.ts';
import type { PredictResult } from '../../../../src/results/answer-results.ts';
import { readHead, writeHead, type HeadTensors } from '../../../../src/store/read/heads/head-file.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { stripedDataset } from '../../../support/small-dataset.ts';

const folder = temporaryFolders();
const before = process.env['PERMAFROST_CACHE'];
/** The class of the features, and the one that stands in: both are on every machine. */
const OWN = 'onnxruntime/cpu/fp32';
const OTHER = 'onnxruntime-winograd/cpu/fp32';
const other = { engine: 'onnxruntime-winograd', neighbors: 0 } as const;
let cache: string;
let dataset: string;
let store: string;
let picture: string;
let head: string;

beforeAll(async () => {
  cache = process.env['PERMAFROST_CACHE'] = folder();
  dataset = await stripedDataset(join(folder(), 'Stripes'), 6, 4);
  store = join(folder(), 'store');
  picture = join(dataset, 'Val/down/0.png');
  await extract(dataset, { store, cut: 'block2_pool', engine: 'onnxruntime' });
  const trained = await train(store, { head: 'logistic', pooling: 'avg', reject: 0, probeImages: 3 });
  expect(trained.probeImages).toBe(3);
  head = trained.file!;
}, 120_000);
afterAll(() => {
  if (before === undefined) delete process.env['PERMAFROST_CACHE'];
  else process.env['PERMAFROST_CACHE'] = before;
});

/** The checks that are kept. */
const kept = (): string[] => {
  const answers = join(cache, 'answers');
  return existsSync(answers) ? readdirSync(answers) : [];
};

/** A copy of the head far from its store, with the tensors that `change` gives for the old ones. */
async function away(change: (tensors: HeadTensors) => HeadTensors = (tensors) => tensors): Promise<string> {
  const { document, tensors } = await readHead(head);
  const file = join(folder(), 'head.safetensors');
  await writeHead(file, { ...document, trained: { ...document.trained, store: 'nowhere' } }, change(tensors));
  return file;
}

/** The tensors with one of them turned around, so that row i is no more what the images give. */
const turned =
  (name: string) =>
  (tensors: HeadTensors): HeadTensors => {
    const { shape, data } = tensors.get(name)!;
    return new Map([...tensors, [name, { shape, data: Float32Array.from(data).reverse() }]]);
  };

const asked = (file: string, options: Partial<PredictOptions> = {}): Promise<PredictResult> =>
  predict(file, [picture], { ...other, ...options });

describe('a head on another engine than that of its features', () => {
  it('answers once the two agree on stored images, and says so; what was found is kept', async () => {
    const { engine, agreement, predictions } = await asked(head);
    expect(engine.name).toBe('onnxruntime-winograd');
    expect(agreement).toMatchObject({ own: OWN, other: OTHER, by: 'stored images', images: 20, sameClass: 20 });
    expect(agreement!.largestDifference).toBeLessThan(1e-3);
    expect(agreement!.leastCosine).toBeGreaterThan(0.9999);
    expect(predictions[0]!.label).toBe('down');
    expect(kept()).toHaveLength(1);

    // Not made again: there is nothing left to make it of.
    const moved = `${dataset} moved`;
    renameSync(dataset, moved);
    const again = await predict(head, [join(moved, 'Val/down/0.png')], other).finally(() => renameSync(moved, dataset));
    expect(again.agreement).toEqual(agreement);
  });

  it('is not compared where its own engine answers', async () => {
    const { agreement } = await asked(head, { engine: 'auto' });
    expect(agreement).toBeUndefined();
  });

  it('answers where store and images are gone, by the probe images in its file', async () => {
    const { agreement, predictions } = await asked(await away());
    expect(agreement).toMatchObject({ own: OWN, other: OTHER, by: 'probe images', images: 3, sameClass: 3 });
    expect(agreement!.leastCosine).toBeGreaterThan(0.9999);
    expect(predictions[0]!.label).toBe('down');
  });

  it('says so of an open classifier too', async () => {
    const classifier = await openClassifier(await away(), { engine: 'onnxruntime-winograd' });
    try {
      expect(classifier.facts.agreement).toMatchObject({ by: 'probe images', images: 3 });
      expect(await classifier.predict(picture)).toMatchObject({ label: 'down' });
    } finally {
      await classifier.close();
    }
  });

  it.each([
    [
      'answers',
      'probe/answers',
      /another class is likeliest on \d \(0 at most are allowed\), a probability differs by/,
    ],
    ['features', 'probe/features', /the least cosine of the features is -?0\.\d+ \(expected 0\.99 or more\)/],
  ])('is refused where the %s are not those of its own engine', async (_, tensor, reason) => {
    const checks = kept();
    const { message } = await rejection(asked(await away(turned(tensor))), 'ENGINE_DISAGREES');
    expect(message).toContain(`${OTHER} was to answer for features of ${OWN}, and gives others: on 3 probe images, `);
    expect(message).toMatch(reason);
    expect(kept()).toEqual(checks);
  });

  it('that has nothing to be compared by says what is missing, and what to do', async () => {
    const bare = await away((all) => new Map([...all].filter(([name]) => !name.startsWith('probe/'))));
    const { message } = await rejection(asked(bare), 'FINGERPRINT_MISMATCH');
    expect(message).toContain(`engineClass: "${OTHER}", not "${OWN}"`);
    expect(message).toMatch(/The store that the head was trained on is not at .*nowhere\./);
    expect(message).toContain("the head's file carries no probe images");
    expect(message).toContain('leave --engine, --device and --precision out');
  });

  it('is refused as before with --allow-engine none, which says how it would be allowed', async () => {
    const { message } = await rejection(asked(head, { allowEngine: 'none' }), 'FINGERPRINT_MISMATCH');
    expect(message).toContain(`engineClass: "${OTHER}", not "${OWN}"`);
    expect(message).toContain('add --allow-engine checked');
  });

  it('whose probe images are not whole is no head', async () => {
    const cut = await away((all) => {
      const { shape, data } = all.get('probe/lengths/0')!;
      return new Map([...all, ['probe/lengths/0', { shape, data: Int32Array.from(data, (n) => 2 * n) }]]);
    });
    const { message } = await rejection(asked(cut), 'HEAD_CORRUPT');
    expect(message).toContain('probe images are not whole');
  });
});

describe('a head file', () => {
  it('carries no probe images where none are wanted', async () => {
    const trained = await train(store, { head: 'centroid', probeImages: 0 });
    expect(trained.probeImages).toBe(0);
    const { tensors } = await readHead(trained.file!);
    expect([...tensors.keys()].filter((name) => name.startsWith('probe/'))).toEqual([]);
  });

  it('carries none where the images have gone, and says so', async () => {
    const notes: string[] = [];
    const moved = `${dataset} moved`;
    renameSync(dataset, moved);
    const trained = await train(
      store,
      { head: 'centroid' },
      {},
      { listener: { note: (text) => notes.push(text) } },
    ).finally(() => renameSync(moved, dataset));
    expect(trained.probeImages).toBe(0);
    expect(notes.at(-1)).toMatch(/^The head file carries no probe images, .*: the data set is not at /);
  });
});

describe('neighbours by another engine than that of the stored features', () => {
  it('are found once the features agree', async () => {
    const { engine, agreement, queries } = await neighbors(store, [picture], { engine: 'onnxruntime-winograd', k: 1 });
    expect(engine!.name).toBe('onnxruntime-winograd');
    expect(agreement).toMatchObject({ own: OWN, other: OTHER, images: 20, sameClass: null });
    expect(agreement!.leastCosine).toBeGreaterThan(0.9999);
    expect(queries[0]!.neighbors[0]!.label).toBe('down');
  });
});
