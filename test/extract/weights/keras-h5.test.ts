import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as ProcessModule from '../../../src/extract/weights/keras-h5-process.ts';
import type * as LoadWeightsModule from '../../../src/extract/weights/load-weights.ts';
import { writeSafetensors, type SafeTensor } from '../../../src/core/safetensors.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { KERAS_LAYOUTS, writeH5 } from '../../support/keras-files.ts';
import { randomWeights, slimmed } from '../../support/tiny-backbone.ts';

// Of the built program: a process of its own reads such a file, and Node 20 runs no TypeScript.
const built = (file: string): Promise<unknown> => import(new URL(`../../../dist/${file}`, import.meta.url).href);
const { loadWeights } = (await built('extract/weights/load-weights.js')) as typeof LoadWeightsModule;
const { readKerasH5 } = (await built('extract/weights/keras-h5-process.js')) as typeof ProcessModule;

const backbone = slimmed(vgg16, 16);
const weights = randomWeights(backbone, 3);
const notop = KERAS_LAYOUTS['keras-applications, notop']!(backbone, weights);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'permafrost-h5-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(name: string, content: Parameters<typeof writeH5>[1]) {
  const file = join(folder, name);
  await writeH5(file, content);
  return loadWeights({ backbone, file });
}

describe('a Keras .h5 file', () => {
  it.each(Object.entries(KERAS_LAYOUTS))('is read in the layout of %s, to the same digest', async (title, layout) => {
    const loaded = await load(`${title.replace(/\W+/g, '-')}.h5`, layout(backbone, weights));
    expect(loaded.digest).toBe(weights.digest);
    expect(loaded.tensors).toEqual(weights.tensors);
  });

  it('has the digest of a .safetensors file with the same values', async () => {
    const file = join(folder, 'same.safetensors');
    const tensors = [...weights.tensors].map(([name, tensor]): [string, SafeTensor] => [
      name,
      { dtype: 'F32', ...tensor },
    ]);
    await writeFile(file, writeSafetensors(new Map(tensors.toReversed())));
    expect((await loadWeights({ backbone, file })).digest).toBe((await load('same.h5', notop)).digest);
  });

  it('tells which layers it ignores', async () => {
    const layout = KERAS_LAYOUTS['keras-applications, with top layers']!;
    const { notes } = await load('top.h5', layout(backbone, weights));
    expect(notes).toEqual(['Ignored what is not part of the base of slim-vgg16: fc1, fc2, predictions.']);
  });

  it('tells when layers without names were taken in order', async () => {
    const layout = KERAS_LAYOUTS['Keras 2.15 .weights.h5, without layer names']!;
    const { notes } = await load('unnamed.h5', layout(backbone, weights));
    expect(notes.join()).toMatch(/keeps no layer names: its 13 convolutions were taken in order/);
  });

  it('is refused when layers without names are more or fewer than the convolutions of the backbone', async () => {
    const { datasets } = KERAS_LAYOUTS['Keras 2.15 .weights.h5, without layer names']!(backbone, weights);
    const fewer = datasets.filter(({ path }) => !path.includes('/conv2d_7/'));
    await expect(load('fewer.h5', { datasets: fewer })).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(/12 convolutions without layer names.*expected 13/) as string,
    });
  });

  it('is refused when a layer is missing or has another shape, with both shapes in the message', async () => {
    const without = notop.datasets.filter(({ path }) => !path.includes('block3_conv2_W'));
    await expect(load('missing.h5', { datasets: without })).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(/needs the tensor block3_conv2\/kernel of shape \(3, 3, 16, 16\)/) as string,
    });
    const other = notop.datasets.map((dataset) =>
      dataset.path.includes('block2_conv1_b') ? { ...dataset, shape: [2, 4] } : dataset,
    );
    await expect(load('shape.h5', { datasets: other })).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(/block2_conv1\/bias has shape \(2, 4\), slim-vgg16 expects \(8\)/) as string,
    });
  });

  it('is refused when it holds two networks or float64 values', async () => {
    const twice = [...notop.datasets, { path: 'copy/block1_conv1/kernel:0', shape: [1], data: new Float32Array(1) }];
    await expect(load('twice.h5', { datasets: twice })).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(/two tensors for block1_conv1\/kernel/) as string,
    });
    const doubles = notop.datasets.map((dataset) => ({ ...dataset, data: Float64Array.from(dataset.data) }));
    await expect(load('doubles.h5', { datasets: doubles })).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(/expected F32. Save the weights as float32/) as string,
    });
  });

  it('is corrupt when it is not HDF5, empty or cut off, and not found when it is not there', async () => {
    const whole = join(folder, 'whole.h5');
    await writeH5(whole, notop);
    const bytes = await readFile(whole);
    const file = join(folder, 'broken.h5');
    for (const broken of [Buffer.from('not HDF5'), Buffer.alloc(0), bytes.subarray(0, bytes.length >> 1)]) {
      await writeFile(file, broken);
      await expect(loadWeights({ backbone, file })).rejects.toMatchObject({
        code: 'WEIGHTS_CORRUPT',
        message: expect.stringContaining(file) as string,
      });
    }
    await expect(loadWeights({ backbone, file: join(folder, 'none.h5') })).rejects.toMatchObject({
      code: 'WEIGHTS_NOT_FOUND',
    });
  });

  it('ends as corrupt, and its reader with it, where reading takes longer than it may', async () => {
    const file = join(folder, 'slow.h5');
    await writeH5(file, notop);
    const started = performance.now();
    await expect(readKerasH5(file, backbone, 1)).rejects.toMatchObject({
      code: 'WEIGHTS_CORRUPT',
      message: expect.stringMatching(/its reader had not ended after 0 s and was stopped/) as string,
    });
    expect(performance.now() - started).toBeLessThan(10_000);
    // No reader holds the file: it can be replaced, and is read anew.
    await writeH5(file, notop);
    expect((await loadWeights({ backbone, file })).digest).toBe(weights.digest);
  });
});
