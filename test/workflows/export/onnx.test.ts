import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSession, onnxRuntime } from '../../../src/core/onnxruntime.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { uprightPixels } from '../../../src/extract/onnx/image-front/upright.ts';
import { parseModel } from '../../../src/extract/onnx/wire/parse-model.ts';
import type { HeadOptions } from '../../../src/classify/heads/index.ts';
import { openStore } from '../../../src/store/open.ts';
import { exportOnnx } from '../../../src/workflows/export/onnx.ts';
import type { ExportOnnxOptions } from '../../../src/workflows/export/options.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { keepTuned } from '../../../src/workflows/finetune/keep-tuned.ts';
import { predict } from '../../../src/workflows/predict/predict.ts';
import type { TrainOptions } from '../../../src/workflows/train/options.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { describedNet } from '../../support/described-net.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { tunedNetwork } from '../../support/tuned.ts';

const folder = temporaryFolders();
const engine = { engine: 'onnxruntime', precision: 'fp32' } as const;
/** In ONNX Runtime alone, which is everywhere. */
const only = { runtime: 'onnxruntime' } as const;
let dataset: string;
let store: string;

beforeAll(async () => {
  const root = folder();
  dataset = await stripedDataset(join(root, 'Stripes'), 12, 4);
  const nets = ['one', 'two'].map((name, i) => describedNet(join(root, name), name, i + 1));
  store = join(root, 'store');
  await extract(dataset, { ...engine, store, backbone: nets.join(',') });
});

const trained = async (options: Partial<TrainOptions>, head: HeadOptions = {}): Promise<string> =>
  (await train(store, options, head)).file!;

const target = (): string => join(folder(), 'head.onnx');
const written = (head: string, options: Partial<ExportOnnxOptions> = {}) =>
  exportOnnx(head, { onnx: target(), ...only, ...options });
const pictures = ['across', 'down'].map((label) => `Val/${label}/0.png`);

/** What a file answers for images of one size. */
async function answers(file: string, paths: readonly string[]) {
  const { Tensor } = await onnxRuntime();
  const session = await createSession(readFileSync(file));
  const images = await Promise.all(
    paths.map((path) => uprightPixels(readFileSync(join(dataset, path)), CONTRACTS.vgg16)),
  );
  const [{ width, height }] = images as [(typeof images)[number]];
  const pixels = Uint8Array.from(images.flatMap(({ data }) => [...data]));
  const found = await session.run({ image: new Tensor('uint8', pixels, [paths.length, height, width, 3]) });
  await session.release();
  return found;
}

const modelOf = (file: string) =>
  parseModel(readFileSync(file), (found) => {
    throw new Error(found);
  });

const metadataOf = (file: string): Record<string, string> => Object.fromEntries(modelOf(file).metadata);

/** Two passes of VGG16 an image take minutes on a busy machine, and nothing of them is about time. */
describe('a head as an ONNX file', { timeout: 600_000 }, () => {
  it('answers from pixels as predict does, a batch as its images alone', async () => {
    const head = await trained({ head: 'logistic', pooling: 'avg' });
    const result = await written(head);
    expect(result).toMatchObject({ precision: 'fp32', opset: 17, domains: [], input: 'image' });
    expect(result.check).toMatchObject({ on: store, split: 'val', failed: [] });
    expect(result.check!.runtimes).toHaveLength(1);
    expect(result.check!.runtimes[0]).toMatchObject({ images: 8, sameClass: 8, differingUnknown: 0 });
    expect(result.check!.runtimes[0]!.largestDifference).toBeLessThan(1e-5);
    const { predictions } = await predict(
      head,
      pictures.map((path) => join(dataset, path)),
      { neighbors: 0 },
    );
    const found = await answers(result.file, pictures);
    expect(Object.keys(found).sort()).toEqual([...result.outputs].sort());
    for (const [i, { probabilities, guess, unknown, strangeness }] of predictions.entries()) {
      const classes = Object.keys(probabilities);
      classes.forEach((name, c) => {
        const p = (found.probabilities!.data as Float32Array)[i * classes.length + c]!;
        expect(p).toBeCloseTo(probabilities[name]!, 5);
      });
      expect(classes[Number((found.class!.data as BigInt64Array)[i])]).toBe(guess);
      expect((found.unknown!.data as Uint8Array)[i] === 1).toBe(unknown);
      expect((found.novelty!.data as Float32Array)[i]).toBeCloseTo(strangeness!.value, 5);
    }
    const [first] = pictures as [string];
    const alone = await answers(result.file, [first]);
    expect((found.probabilities!.data as Float32Array)[0]).toBeCloseTo(
      (alone.probabilities!.data as Float32Array)[0]!,
      6,
    );
  });

  it('says in its metadata what it is, under the keys that tools read', async () => {
    const head = await trained({ head: 'logistic', pooling: 'avg' });
    const { file } = await written(head, { unchecked: true });
    const metadata = metadataOf(file);
    expect(JSON.parse(metadata.names!)).toEqual({ 0: 'across', 1: 'down' });
    expect(JSON.parse(metadata.class_names!)).toEqual(['across', 'down']);
    expect(metadata).toMatchObject({ task: 'classify', imgsz: '[16,16]', 'Image.BitmapPixelFormat': 'Rgb8' });
    const facts = JSON.parse(metadata.permafrost!) as Record<string, unknown>;
    expect(facts).toMatchObject({ classes: ['across', 'down'], precision: 'fp32', check: null });
    expect(facts.networks).toMatchObject([{ contract: { size: 16 } }]);
    const checked = metadataOf((await written(head)).file);
    expect(JSON.parse(checked.permafrost!)).toMatchObject({ check: { split: 'val', runtimes: [{ sameClass: 8 }] } });
  });

  it('holds two networks side by side', async () => {
    const head = await trained({ head: 'logistic', cut: 'one/features:avg,two/features:avg' });
    const { check, file } = await written(head);
    expect(check!.runtimes[0]).toMatchObject({ images: 8, sameClass: 8 });
    expect(check!.runtimes[0]!.largestDifference).toBeLessThan(1e-5);
    expect((JSON.parse(metadataOf(file).permafrost!) as { networks: unknown[] }).networks).toHaveLength(2);
  });

  it('keeps its weights in half the bytes, or computes on 8 bits', async () => {
    const head = await trained({ head: 'logistic', pooling: 'avg' });
    const half = (await written(head, { fp16: true })).file;
    const constants = [...modelOf(half).initializers.values()];
    const valuesOf = (type: number): number[] =>
      constants.filter((one) => one.type === type).map(({ dims }) => dims.reduce((size, n) => size * n, 1));
    expect(valuesOf(10).length).toBeGreaterThan(0);
    // The small ones of the network stay as they are.
    const biases = constants.filter(({ name, dims, type }) => /\/b$/.test(name) && dims.length === 1 && type === 1);
    expect(biases.length).toBeGreaterThan(0);
    const file = (await written(head, { int8: true, maxDifference: 1, minAgreement: 0 })).file;
    const { nodes } = modelOf(file);
    expect(nodes.filter(({ op }) => op === 'QuantizeLinear').length).toBeGreaterThan(0);
  });

  it('is not written where its answers differ by more than is allowed', async () => {
    const head = await trained({ head: 'logistic', pooling: 'avg' });
    const onnx = target();
    const refused = exportOnnx(head, { onnx, ...only, int8: true, maxDifference: 1e-9 });
    const error = await rejection(refused, 'PRECISION_LOSS');
    expect(error.message).toMatch(/on 8 images of .*expected the same class for all and at most 1e-9. Nothing was/);
    expect(existsSync(onnx)).toBe(false);
  });

  it('needs images to be checked on, a store or others, or to be told that there are none', async () => {
    const lonely = join(folder(), 'far', 'away', 'ridge.safetensors');
    mkdirSync(dirname(lonely), { recursive: true });
    renameSync(await trained({ head: 'ridge', pooling: 'avg', out: join(folder(), 'ridge.safetensors') }), lonely);
    const onnx = target();
    const error = await rejection(exportOnnx(lonely, { onnx, ...only }), 'OPTION_INVALID');
    expect(existsSync(onnx)).toBe(false);
    expect(error.message).toMatch(/cannot be checked.*--check DATASET.*--unchecked/);
    const { check } = await exportOnnx(lonely, { onnx, ...only, check: dataset });
    expect(check).toMatchObject({ on: dataset, split: null, runtimes: [{ images: 32, sameClass: 32 }] });
    expect((await exportOnnx(lonely, { onnx, unchecked: true })).check).toBeNull();
  });

  it('holds the layers of a tuned network, on activations rounded as the store has them', async () => {
    const path = join(folder(), 'tuned');
    const few = await stripedDataset(join(folder(), 'Few'), 2, 1);
    await extract(few, { ...engine, store: path, cut: 'block5_conv2:flatten,block5_pool:avg' });
    const opened = await openStore(path);
    const { file } = await keepTuned(opened, await tunedNetwork(opened));
    const { check } = await exportOnnx(file, { onnx: target(), ...only, checkImages: 2 });
    expect(check!.runtimes[0]).toMatchObject({ images: 2, sameClass: 2 });
    expect(check!.runtimes[0]!.largestDifference).toBeLessThan(1e-4);
  });
});
