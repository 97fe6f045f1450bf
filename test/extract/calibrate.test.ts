import { beforeAll, describe, expect, it } from 'vitest';
import { calibrationDigest, type Int8Calibration } from '../../src/core/calibration.ts';
import { cosine } from '../../src/core/matrix.ts';
import { agreement } from '../../src/extract/agreement.ts';
import { calibrate, quantizationOf } from '../../src/extract/calibrate.ts';
import { decodedImages } from '../../src/extract/image/decoded-images.ts';
import type { Engine } from '../../src/extract/engines/engine.ts';
import { createEngine } from '../../src/extract/engines/index.ts';
import { kerasCaffe } from '../support/contracts.ts';
import { rejection } from '../support/errors.ts';
import { temporaryFolders, writeTree } from '../support/folders.ts';
import { texture, toSharp } from '../support/pictures.ts';
import { naiveFeatures, randomPixels, randomWeights, tinyBackbone } from '../support/tiny-backbone.ts';

const backbone = tinyBackbone([4, 0, 6, 5, 0]);
const weights = randomWeights(backbone, 3);
const contract = { ...kerasCaffe, size: 12 };
const images = [1, 2, 3].map((seed) => ({
  sha256: String(seed).repeat(64),
  pixels: randomPixels(1, 12, seed),
}));
let engine: Engine;
beforeAll(async () => {
  engine = await createEngine('onnxruntime');
});

describe('calibrate', () => {
  it('finds the largest value of each layer up to the cut over all images', async () => {
    const found = await calibrate({ backbone, weights, contract, cut: 'conv3' }, images);
    expect(Object.keys(found.ranges)).toEqual(['conv1', 'pool1', 'conv2', 'conv3']);
    for (const [layer, { min, max }] of Object.entries(found.ranges)) {
      const output = { cut: layer, pooling: 'flatten' } as const;
      const program = { backbone, weights, contract, outputs: [output] };
      const largest = images.map(({ pixels }) => Math.max(...naiveFeatures(program, pixels, output).features));
      expect(min).toBe(0);
      expect(Math.abs(max / Math.max(...largest) - 1)).toBeLessThan(1e-5);
    }
    expect(found.images).toEqual(images.map(({ sha256 }) => sha256));
  });

  it('has a digest that changes with a range, an image and the method, and with nothing else', async () => {
    const target = { backbone, weights, contract, cut: 'conv3' };
    const found = await calibrate(target, images);
    const digest = calibrationDigest(found);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(quantizationOf(found).digest).toBe(digest);
    expect(calibrationDigest(JSON.parse(JSON.stringify(found)) as Int8Calibration)).toBe(digest);
    const others: Int8Calibration[] = [
      { ...found, method: 'another' },
      { ...found, images: found.images.slice(1) },
      { ...found, ranges: { ...found.ranges, conv1: { min: 0, max: 1 } } },
    ];
    for (const other of others) expect(calibrationDigest(other)).not.toBe(digest);
  });

  it('refuses to work without an image', async () => {
    await rejection(calibrate({ backbone, weights, contract, cut: 'conv1' }, []), 'OPTION_INVALID');
  });
});

describe('agreement', () => {
  it('is 1 for the same features, and the cosine of each image for others', async () => {
    const outputs = [{ cut: 'pool2', pooling: 'flatten' } as const];
    const load = (seed: number) => engine.load({ backbone, weights: randomWeights(backbone, seed), contract, outputs });
    const [a, b] = [await load(3), await load(4)];
    const [same] = await agreement(a, a, images);
    expect(same!.images).toBe(3);
    expect(same!.min).toBeCloseTo(1, 12);
    const cosines: number[] = [];
    for (const { pixels } of images) {
      const [x] = await a.run(pixels, 1);
      const [y] = await b.run(pixels, 1);
      cosines.push(cosine(x!.data, y!.data));
    }
    const [other] = await agreement(a, b, images);
    expect(other!.min).toBeCloseTo(Math.min(...cosines), 12);
    expect(other!.mean).toBeCloseTo(cosines.reduce((sum, value) => sum + value) / 3, 12);
    expect(other!.min).toBeLessThan(0.98);
    await rejection(agreement(a, b, []), 'OPTION_INVALID');
    await Promise.all([a.dispose(), b.dispose()]);
  });

  it('measures angles: 1 along, 0 across, and what is zero is like zero alone', () => {
    expect(cosine(Float32Array.of(1, 2), Float32Array.of(2, 4))).toBeCloseTo(1, 12);
    expect(cosine(Float32Array.of(1, 0), Float32Array.of(0, 1))).toBe(0);
    expect(cosine(new Float32Array(2), Float32Array.of(1, 0))).toBe(0);
    expect(cosine(new Float32Array(2), new Float32Array(2))).toBe(1);
  });
});

describe('decodedImages', () => {
  const folder = temporaryFolders();
  const sample = (path: string) => ({ path, label: 'a', split: 'train' as const });

  it('gives the first different images that decode, leaving out what it is told to', async () => {
    const png = (seed: number) =>
      toSharp(texture(20, 20, seed))
        .png()
        .toBuffer();
    const [one, two, three] = [await png(1), await png(2), await png(3)];
    const root = writeTree(folder(), { one, copy: one, broken: 'no picture', two, three });
    const samples = ['missing', 'one', 'copy', 'broken', 'two', 'three'].map(sample);
    const found = await decodedImages({ root, samples, contract, count: 2 });
    expect(found.map(({ pixels }) => pixels.length)).toEqual([432, 432]);
    const all = await decodedImages({ root, samples, contract, count: 9 });
    expect(all).toHaveLength(3);
    expect(found).toEqual(all.slice(0, 2));
    const except = new Set([all[0]!.sha256]);
    expect(await decodedImages({ root, samples, contract, count: 9, except })).toEqual(all.slice(1));
  });

  it('stops on the signal', async () => {
    const signal = AbortSignal.abort();
    const work = decodedImages({ root: '', samples: [sample('x')], contract, count: 1, signal });
    await rejection(work, 'INTERRUPTED');
  });
});
