import { describe, expect, it } from 'vitest';
import { encodeOnnx, type OnnxGraph } from '../../../src/core/onnx-model.ts';
import { createSession, onnxRuntime } from '../../../src/core/onnxruntime.ts';
import { random } from '../../../src/core/random.ts';
import { guardedExecutable } from '../../../src/extract/engines/guarded-executable.ts';
import { networkThreads, copiesFor } from '../../../src/extract/engines/network-threads.ts';
import { randomPixels } from '../../support/tiny-backbone.ts';

const SIZE = 12;
const NAMES = ['map/avg', 'map/flatten'];

/** A convolution with random weights, averaged and whole. */
function smallGraph(): OnnxGraph {
  const generator = random(5);
  const kernel = Float32Array.from({ length: 8 * 3 * 9 }, () => generator.uniform() - 0.5);
  return {
    name: 'small',
    nodes: [
      { op: 'Transpose', inputs: ['pixels'], outputs: ['planes'], attributes: { perm: [0, 3, 1, 2] } },
      { op: 'Cast', inputs: ['planes'], outputs: ['numbers'], attributes: { to: 1 } },
      { op: 'Conv', inputs: ['numbers', 'kernel'], outputs: ['map'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'GlobalAveragePool', inputs: ['map'], outputs: ['mean'] },
      { op: 'Flatten', inputs: ['mean'], outputs: ['map/avg'], attributes: { axis: 1 } },
      { op: 'Flatten', inputs: ['map'], outputs: ['map/flatten'], attributes: { axis: 1 } },
    ],
    inputs: [{ name: 'pixels', type: 'uint8', shape: ['batch', SIZE, SIZE, 3] }],
    outputs: [
      { name: 'map/avg', type: 'float32', shape: ['batch', 8] },
      { name: 'map/flatten', type: 'float32', shape: ['batch', 8 * SIZE * SIZE] },
    ],
    initializers: [{ name: 'kernel', shape: [8, 3, 3, 3], data: kernel }],
  };
}

const model = encodeOnnx(smallGraph());
const loaded = async (threads: number) =>
  guardedExecutable(await networkThreads({ model, size: SIZE, names: NAMES, threads }));

/** The outputs of images that a session in this thread gives, one image at a time. */
async function alone(pixels: Uint8Array, count: number): Promise<number[][]> {
  const { Tensor } = await onnxRuntime();
  const session = await createSession(model, { intraOpNumThreads: 1 });
  const outputs: number[][] = NAMES.map(() => []);
  for (let i = 0; i < count; i++) {
    const image = pixels.slice(i * SIZE * SIZE * 3, (i + 1) * SIZE * SIZE * 3);
    const found = await session.run({ pixels: new Tensor('uint8', image, [1, SIZE, SIZE, 3]) });
    NAMES.forEach((name, o) => outputs[o]!.push(...(found[name]!.data as Float32Array)));
  }
  await session.release();
  return outputs;
}

describe('a network on threads of its own', () => {
  it('gives the very numbers of a session alone, for any number of threads and any batch', async () => {
    const count = 11;
    const pixels = randomPixels(count, SIZE, 3);
    const expected = await alone(pixels, count);
    for (const threads of [1, 2, 3]) {
      const executable = await loaded(threads);
      const found = await executable.run(pixels, count);
      expect(found.map(({ rows, cols }) => [rows, cols])).toEqual([
        [count, 8],
        [count, 8 * SIZE * SIZE],
      ]);
      expect(found.map(({ data }) => [...data])).toEqual(expected);
      const last = await executable.run(pixels.subarray(10 * SIZE * SIZE * 3), 1);
      expect([...last[0]!.data]).toEqual(expected[0]!.slice(80));
      await executable.dispose();
    }
  });

  it('keeps batches apart that are in it at the same time', async () => {
    const executable = await loaded(2);
    const batches = [7, 1, 9, 4].map((count, i) => ({ count, pixels: randomPixels(count, SIZE, 20 + i) }));
    const found = await Promise.all(batches.map(({ pixels, count }) => executable.run(pixels, count)));
    for (const [i, { pixels, count }] of batches.entries())
      expect([...found[i]![0]!.data]).toEqual((await alone(pixels, count))[0]);
    await executable.dispose();
  });

  it('says what is wrong with a model, and leaves no thread behind', async () => {
    const broken = networkThreads({ model: model.subarray(0, 40), size: SIZE, names: NAMES, threads: 2 });
    await expect(broken).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('tells of an output that is not there, and goes on', async () => {
    const calls = await networkThreads({ model, size: SIZE, names: ['none'], threads: 1 });
    const executable = guardedExecutable(calls);
    const pixels = randomPixels(3, SIZE, 3);
    for (let again = 0; again < 3; again++)
      await expect(executable.run(pixels, 3)).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await executable.dispose();
  });

  it('has a copy a core of small models, and fewer of large ones, on several cores each', () => {
    const MiB = 2 ** 20;
    expect(copiesFor(14 * MiB, 2)).toEqual({ copies: 2, threads: 1 });
    expect(copiesFor(14 * MiB, 16)).toEqual({ copies: 16, threads: 1 });
    expect(copiesFor(90 * MiB, 16)).toEqual({ copies: 2, threads: 8 });
    expect(copiesFor(1200 * MiB, 16)).toEqual({ copies: 1, threads: 16 });
    expect(copiesFor(14 * MiB, 1)).toEqual({ copies: 1, threads: 1 });
  });
});
