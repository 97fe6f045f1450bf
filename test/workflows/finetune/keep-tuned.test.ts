import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { extract, openStore, predict } from '../../../src/index.ts';
import { row, type Matrix } from '../../../src/core/matrix.ts';
import type { Pooling } from '../../../src/core/sample.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { openImage } from '../../../src/extract/image/open-image.ts';
import { withLayers } from '../../../src/extract/weights/tuned-weights.ts';
import { readHead, writeHead } from '../../../src/store/read/heads/head-file.ts';
import { keepTuned } from '../../../src/workflows/finetune/keep-tuned.ts';
import type { KeptTuned, TunedNetwork } from '../../../src/workflows/finetune/tuned-network.ts';
import { extractImages } from '../../../src/workflows/network/extract-images.ts';
import { extractorLike } from '../../../src/workflows/network/extractor.ts';
import { openTunedFile } from '../../../src/workflows/train/files/tuned-files.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { matricesOf } from '../../support/stores.ts';
import { layersOfNetwork, tunedNetwork, type TunedPlan } from '../../support/tuned.ts';

const folder = temporaryFolders();
const engine = { engine: 'onnxruntime', precision: 'fp32' } as const;
const WHOLE = ['flatten', 'avg', 'max', 'gem'] as const;
let dataset: string;

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 2, 1);
});

/** Features of the whole network in one piece, by the ordinary engine: shape (1, width) each. */
async function ofWholeNetwork(network: TunedNetwork, file: string): Promise<Map<Pooling, Matrix>> {
  const { base, contract } = network;
  const outputs = WHOLE.map((pooling) => ({ cut: 'block5_pool', pooling }));
  const program = { backbone: vgg16, weights: withLayers(base, layersOfNetwork(network)), contract, outputs };
  const executable = await (await createEngine('onnxruntime')).load(program);
  const { pixels } = await openImage(readFileSync(file), contract);
  const found = await executable.run(await pixels, 1);
  await executable.dispose();
  return new Map(WHOLE.map((pooling, i) => [pooling, found[i]!]));
}

/** The largest difference of two vectors, as a share of the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let [most, largest] = [0, 0];
  a.forEach((value, i) => {
    most = Math.max(most, Math.abs(value - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  });
  expect(largest).toBeGreaterThan(0);
  return most / largest;
}

/** A store with all that a tail from block5_conv3 on reads, and a tuned network that is kept in it. */
async function keptIn(
  name: string,
  { dtype = 'float16', cut = 'block5_conv2:flatten,block5_pool:avg', ...plan }: TunedPlan & Record<string, string> = {},
): Promise<{ path: string; network: TunedNetwork; kept: KeptTuned; features: (pooling: Pooling) => Promise<Matrix> }> {
  const path = join(folder(), name);
  await extract(dataset, { ...engine, store: path, cut, dtype: dtype as 'float16' });
  const store = await openStore(path);
  const network = await tunedNetwork(store, plan);
  const kept = await keepTuned(store, network);
  return {
    path,
    network,
    kept,
    async features(pooling) {
      const tuned = (await openStore(path)).throughNetwork(kept.fingerprint!);
      return (await matricesOf(tuned, pooling, ['val'])).get('val')!.X;
    },
  };
}

/** What a tuned file answers of the val images, by the whole chain: shape (n, width), in the order of their paths. */
async function fresh(file: string, poolings: readonly Pooling[]): Promise<Matrix> {
  const { document, tuned } = await openTunedFile(file);
  const cuts = [{ cut: 'block5_pool', poolings }];
  const extractor = await extractorLike(document.settings, { ...engine, cuts, tuned });
  const files = ['across', 'down'].map((label) => join(dataset, `Val/${label}/0.png`));
  const { X } = await extractImages(files, extractor);
  await extractor.executable.dispose();
  return X;
}

describe('a tuned network that is kept', () => {
  let made: Awaited<ReturnType<typeof keptIn>>;
  beforeAll(async () => {
    made = await keptIn('exact', { dtype: 'float32' });
  });

  it('gives the features of the whole network in one piece, and not those of the weights that it began with', async () => {
    const whole = await ofWholeNetwork(made.network, join(dataset, 'Val/across/0.png'));
    for (const pooling of ['avg', 'max', 'gem'] as const) {
      const stored = row(await made.features(pooling), 0);
      expect(difference(stored, whole.get(pooling)!.data), pooling).toBeLessThan(1e-5);
    }
    const [before] = (await matricesOf(await openStore(made.path), 'avg', ['val'])).values();
    expect(difference(row(before!.X, 0), whole.get('avg')!.data)).toBeGreaterThan(1e-2);
  });

  it('answers as its dense layer on the normalised features, for images that are not in the store too', async () => {
    const file = join(dataset, 'Val/down/0.png');
    const features = (await ofWholeNetwork(made.network, file)).get('avg')!.data;
    const length = Math.hypot(...features);
    const [kernel, bias] = [made.network.arrays.get('head/kernel')!, made.network.arrays.get('head/bias')!];
    const logits = [0, 1].map((c) => features.reduce((sum, x, i) => sum + (x / length) * kernel[2 * i + c]!, bias[c]!));
    const expected = 1 / (1 + Math.exp(logits[0]! - logits[1]!));
    const { predictions } = await predict(made.kept.file, [file], engine);
    expect(predictions[0]!.probabilities.down).toBeCloseTo(expected, 5);
    expect(Math.abs(expected - 0.5)).toBeGreaterThan(1e-3);
  });

  it('finds stored images near by the same features', async () => {
    const { predictions } = await predict(made.kept.file, [join(dataset, 'Train/down/1.png')], engine);
    const [nearest] = predictions[0]!.neighbors;
    expect(nearest).toMatchObject({ path: 'Train/down/1.png', label: 'down' });
    expect(nearest!.distance).toBeLessThan(1e-6);
  });

  it('is a head file of version 3 that tells of its training', async () => {
    const { document } = await readHead(made.kept.file);
    expect(document).toMatchObject({
      version: 3,
      name: 'softmax',
      pooling: 'avg',
      settings: { tail: { from: 'block5_conv3', maps: 'float32', engineClass: 'onnxruntime/cpu/fp32' } },
      tuned: { base: made.network.base.digest, recipe: { rate: 1e-4, batch: 32, seed: 1 } },
      trained: { images: 4, store: '..' },
    });
    expect(document.settings.weights).not.toBe(made.network.base.digest);
  });

  it('answers far from its store by another engine, which is compared on the probe images in its file', async () => {
    const { document, tensors } = await readHead(made.kept.file);
    const file = join(folder(), 'head.safetensors');
    await writeHead(file, { ...document, trained: { ...document.trained, store: 'nowhere' } }, tensors);
    const picture = join(dataset, 'Val/down/0.png');
    const own = await predict(made.kept.file, [picture], engine);
    const cache = process.env['PERMAFROST_CACHE'];
    process.env['PERMAFROST_CACHE'] = folder(); // so that nothing is known of these engines yet
    const found = await predict(file, [picture], { engine: 'onnxruntime-winograd', neighbors: 0 }).finally(() => {
      if (cache === undefined) delete process.env['PERMAFROST_CACHE'];
      else process.env['PERMAFROST_CACHE'] = cache;
    });
    expect(found.agreement).toMatchObject({ by: 'probe images', images: 6, sameClass: 6 });
    expect(found.agreement!.leastCosine).toBeGreaterThan(0.9999);
    expect(found.predictions[0]!.probability).toBeCloseTo(own.predictions[0]!.probability, 4);
  });

  it('has the same bytes when it is kept again', async () => {
    const before = readFileSync(made.kept.file);
    const again = await keepTuned(await openStore(made.path), made.network);
    expect(again).toEqual(made.kept);
    expect(readFileSync(made.kept.file).equals(before)).toBe(true);
  });
});

describe('activations in float16', () => {
  it('are rounded for new images as they are in the store, so that both give the same features', async () => {
    const { kept, network, features } = await keptIn('rounded');
    const X = await fresh(kept.file, ['avg']);
    const stored = await features('avg');
    // One engine, one batch: to the last bit on most machines; a batch of another size may change the last digits.
    expect(difference(X.data, stored.data)).toBeLessThan(1e-5);
    const whole = await ofWholeNetwork(network, join(dataset, 'Val/across/0.png'));
    // What rounding the activations to 11 bits costs.
    expect(difference(row(stored, 0), whole.get('avg')!.data)).toBeLessThan(2e-4);
  });
});

describe('a dense layer on the whole map', () => {
  it('answers without a normaliser from Flatten', async () => {
    const { kept, network, features } = await keptIn('flatten', { pooling: 'flatten', norm: 'none' });
    const stored = row(await features('flatten'), 1);
    const [kernel, bias] = [network.arrays.get('head/kernel')!, network.arrays.get('head/bias')!];
    const logits = [0, 1].map((c) => stored.reduce((sum, x, i) => sum + x * kernel[2 * i + c]!, bias[c]!));
    const { predictions } = await predict(kept.file, [join(dataset, 'Val/down/0.png')], engine);
    expect(predictions[0]!.label).toBe(logits[1]! > logits[0]! ? 'down' : 'across');
    expect((await readHead(kept.file)).document).toMatchObject({ pooling: 'flatten', width: 25088 });
  });
});

describe('a network that was tuned as a whole', () => {
  it('has no tail: any engine runs it with its own weights, and new images go through it', async () => {
    const plan = { from: 'block1_conv1', cut: 'block5_pool:avg' };
    const { kept, network, features } = await keptIn('whole', plan);
    const { document, tensors } = await readHead(kept.file);
    expect(document.settings).not.toHaveProperty('tail');
    expect([...tensors.keys()].filter((name) => name.startsWith('layers/'))).toHaveLength(26);
    const whole = await ofWholeNetwork(network, join(dataset, 'Val/across/0.png'));
    expect(difference(row(await features('avg'), 0), whole.get('avg')!.data)).toBeLessThan(1e-5);
    const { predictions } = await predict(kept.file, [join(dataset, 'Train/across/0.png')], engine);
    expect(predictions[0]!.neighbors[0]).toMatchObject({ path: 'Train/across/0.png' });
  });
});

describe('keepTuned', () => {
  it('refuses activations of another layer than the one before the tail, and writes nothing', async () => {
    const path = join(folder(), 'refused');
    await extract(dataset, { ...engine, store: path, cut: 'block4_pool:flatten' });
    const store = await openStore(path);
    const network = { ...(await tunedNetwork(store)), cut: store.manifest.sets[0] };
    const { message } = await rejection(keepTuned(store, network), 'OPTION_INVALID');
    expect(message).toMatch(/tuned from block5_conv3 on was trained on activations of block5_conv2 .*block4_pool/);
  });
});
