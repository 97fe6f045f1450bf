import { describe, expect, it } from 'vitest';
import { CONTRACTS } from '../../../../src/extract/contract.ts';
import { vgg16 } from '../../../../src/extract/backbones/vgg.ts';
import { createEngine, engineNamed } from '../../../../src/extract/engines/index.ts';
import { loadNetwork } from '../../../../src/extract/engines/tfjs/network.ts';
import { findPackage, type TfjsPackage } from '../../../../src/extract/engines/tfjs/packages.ts';
import { loadTfjs } from '../../../../src/extract/engines/tfjs/runtime.ts';
import type { Tf } from '../../../../src/extract/engines/tfjs/tensors.ts';
import { extractFeatures } from '../../../../src/extract/pipeline.ts';
import { kerasCaffe } from '../../../support/contracts.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { relativeError } from '../../../support/golden.ts';
import { stripedDataset } from '../../../support/small-dataset.ts';
import { randomPixels, randomWeights, slimmed } from '../../../support/tiny-backbone.ts';
import { itIsAnEngine } from '../engine-contract.ts';
import { itAgreesWithKeras } from '../golden-parity.ts';
import { needsTfjs, tfjsMissing } from './tfjs-missing.ts';
import type { LayerProgram } from '../../../../src/extract/program.ts';

const SIZE = 32;
const slim = slimmed(vgg16, 16);
const program: LayerProgram = {
  backbone: slim,
  weights: randomWeights(slim, 1),
  contract: { ...kerasCaffe, size: SIZE },
  outputs: [
    { cut: 'block2_pool', pooling: 'max' },
    { cut: 'block5_pool', pooling: 'flatten' },
    { cut: 'block5_pool', pooling: 'avg' },
  ],
};
const makeFolder = temporaryFolders();

/** What tfjs holds now, in this process. */
async function held(key: TfjsPackage) {
  const { tf } = await loadTfjs(findPackage(key)!);
  const { numTensors, numBytes } = tf.memory();
  return { numTensors, numBytes };
}

/** What is the same whichever package runs. */
function itRunsOn(key: TfjsPackage): void {
  const makeEngine = () => createEngine('tfjs', { package: key });

  // float32 against float64, the tolerances of the engine onnxruntime.
  itIsAnEngine(makeEngine, { reference: 5e-6, batch: 1e-5 });

  it('holds its weights alone, however many batches of whatever size ran, and nothing after dispose', async () => {
    const engine = await makeEngine();
    const before = await held(key);
    const loaded = await engine.load(program);
    const weights = await held(key);
    // Mean, scale, and kernel and bias of each of the 13 convolutions.
    expect(weights.numTensors - before.numTensors).toBe(2 + 2 * 13);
    const values = [...program.weights.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(weights.numBytes - before.numBytes).toBe(4 * (3 + 3 + values));
    for (let batch = 0; batch < 60; batch++) {
      const count = 1 + (batch % 4);
      await loaded.run(randomPixels(count, SIZE, batch), count);
      expect(await held(key)).toEqual(weights);
    }
    await loaded.dispose();
    expect(await held(key)).toEqual(before);
  });

  it('frees what a run made that failed in the middle, and runs again', async () => {
    const runtime = await loadTfjs(findPackage(key)!);
    const { tf } = runtime;
    let pools = 0;
    const failing: Tf['maxPool'] = (...args) => {
      if (++pools === 3) throw new Error('out of memory');
      return tf.maxPool(...args);
    };
    const nothing = await held(key);
    const network = loadNetwork({ ...runtime, tf: { ...tf, maxPool: failing } }, program);
    const weights = await held(key);
    await expect(network.infer(randomPixels(2, SIZE, 1), 2)).rejects.toThrow('out of memory');
    expect(await held(key)).toEqual(weights);
    expect(await network.infer(randomPixels(2, SIZE, 1), 2)).toHaveLength(3);
    expect(await held(key)).toEqual(weights);
    network.release();
    expect(await held(key)).toEqual(nothing);
  });

  it('gives JavaScript a turn between layers', async () => {
    const loaded = await (await makeEngine()).load(program);
    let turns = 0;
    let counting = true;
    const count = (): void => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    await loaded.run(randomPixels(1, SIZE, 1), 1);
    counting = false;
    expect(turns).toBeGreaterThanOrEqual(slim.layers.length - 1);
    await loaded.dispose();
  });
}

describe.skipIf(tfjsMissing('node-gpu'))(needsTfjs('node-gpu', 'tfjs on @tensorflow/tfjs-node-gpu'), () => {
  itRunsOn('node-gpu');

  // Measured 1e-6 on the CPU; swapped channels give 0.3 or more. The rest is room for the kernels of other processors.
  itAgreesWithKeras(() => createEngine('tfjs', { package: 'node-gpu' }), { error: 1e-4, cosine: 0.999999 });

  it('says what runs: package, TensorFlow, and the CPU where no GPU is used', async () => {
    const engine = await createEngine('tfjs');
    const { tf } = await loadTfjs(findPackage('node-gpu')!);
    const usesGpu = (tf.backend() as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
    expect(engine.device).toBe(usesGpu ? 'gpu' : 'cpu');
    expect(engine.version).toMatch(/^4\.\d+\.\d+ \(@tensorflow\/tfjs-node-gpu, TensorFlow 2\.\d+\.\d+\)$/);
    expect(engine.notes).toEqual(usesGpu ? [] : [expect.stringContaining('computes on the CPU')]);
  });

  it('frees the tensors of TensorFlow itself, not only those that tfjs counts', async () => {
    const { tf } = await loadTfjs(findPackage('node-gpu')!);
    const { binding } = tf.backend() as { binding: { getNumOfTensors(): number } };
    const before = binding.getNumOfTensors();
    const loaded = await (await createEngine('tfjs', { package: 'node-gpu' })).load(program);
    await loaded.run(randomPixels(2, SIZE, 1), 2);
    // tfjs hands a constant to TensorFlow when it is first used.
    const weights = binding.getNumOfTensors();
    expect(weights - before).toBe(2 + 2 * 13);
    for (let batch = 0; batch < 20; batch++) await loaded.run(randomPixels(2, SIZE, batch), 2);
    expect(binding.getNumOfTensors()).toBe(weights);
    await loaded.dispose();
    expect(binding.getNumOfTensors()).toBe(before);
  });

  it('refuses a device that it does not run on, rather than to compute elsewhere', async () => {
    const { device } = await createEngine('tfjs');
    const other = device === 'cpu' ? 'gpu' : 'cpu';
    await expect(engineNamed('tfjs', { device: other })).rejects.toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
    });
    expect(await engineNamed('tfjs', { device })).toMatchObject({ device });
  });

  it('leaves nothing behind when an extraction is aborted in the middle', async () => {
    const root = await stripedDataset(makeFolder(), 12, 1);
    const samples = Array.from({ length: 12 }, (_, i) => ({
      path: `Train/across/${i}.png`,
      label: 'across',
      split: 'train' as const,
    }));
    const before = await held('node-gpu');
    const engine = await createEngine('tfjs');
    const outputs = program.outputs.slice(1);
    const contract = { ...CONTRACTS.keras, size: SIZE };
    const executable = await engine.load({ ...program, contract, outputs });
    const controller = new AbortController();
    let images = 0;
    for await (const event of extractFeatures({
      ...{ root, samples, contract, executable },
      batch: 2,
      isKnown: () => false,
      signal: controller.signal,
    })) {
      if (event.kind === 'features') images += event.batch.rows.length;
      if (images === 4) controller.abort();
    }
    expect(images).toBe(6); // those that were out, and the batch that was in the network by then
    await executable.dispose();
    expect(await held('node-gpu')).toEqual(before);
  });
});

describe.skipIf(tfjsMissing('wasm'))(needsTfjs('wasm', 'tfjs on WebAssembly'), () => {
  itRunsOn('wasm');

  it('says what runs, and that it is slow', async () => {
    expect(await createEngine('tfjs', { package: 'wasm' })).toMatchObject({
      name: 'tfjs',
      device: 'cpu',
      precision: 'fp32',
      version: expect.stringMatching(/^4\.\d+\.\d+ \(@tensorflow\/tfjs-backend-wasm\)$/) as string,
      notes: [expect.stringContaining('one thread')],
    });
  });

  it.skipIf(tfjsMissing('node-gpu'))('keeps its tensors apart from those of the native package', async () => {
    const engines = await Promise.all([
      createEngine('tfjs', { package: 'node-gpu' }),
      createEngine('tfjs', { package: 'wasm' }),
    ]);
    const loaded = await Promise.all(engines.map((engine) => engine.load(program)));
    const pixels = randomPixels(2, SIZE, 3);
    const alone = await loaded[1]!.run(pixels, 2);
    const both = await Promise.all([...loaded, ...loaded].map((executable) => executable.run(pixels, 2)));
    for (const features of both) {
      for (const [i, { data }] of features.entries()) {
        expect(relativeError(data, alone[i]!.data)).toBeLessThanOrEqual(1e-5);
      }
    }
    await Promise.all(loaded.map((executable) => executable.dispose()));
  });
});
