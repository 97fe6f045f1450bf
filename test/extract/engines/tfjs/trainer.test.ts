import { describe, expect, it } from 'vitest';
import { findPackage } from '../../../../src/extract/engines/tfjs/packages.ts';
import { loadTfjs } from '../../../../src/extract/engines/tfjs/runtime.ts';
import { createTrainer } from '../../../../src/extract/engines/trainers.ts';
import type { TailProgram } from '../../../../src/extract/training.ts';
import { rejection } from '../../../support/errors.ts';
import { itIsATrainer } from '../trainer-contract.ts';
import { needsTfjs, tfjsMissing } from './tfjs-missing.ts';

const program: TailProgram = {
  layers: [
    { kind: 'conv', name: 'a', inputs: 3, filters: 4 },
    { kind: 'maxPool', name: 'p' },
  ],
  input: { height: 6, width: 6, channels: 3 },
  batch: 2,
  head: { pooling: 'avg', norm: 'l2', classes: 2 },
};

describe.skipIf(tfjsMissing('node-gpu'))(needsTfjs('node-gpu', 'training on @tensorflow/tfjs-node-gpu'), () => {
  itIsATrainer(() => createTrainer('tfjs'));

  it('trains on what TensorFlow sees, and says what that is', async () => {
    const { name, device, precision, version, notes } = await createTrainer('tfjs');
    const { tf } = await loadTfjs(findPackage('node-gpu')!);
    const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice: boolean };
    expect({ name, device, precision }).toEqual({
      name: 'tfjs',
      device: isUsingGpuDevice ? 'gpu' : 'cpu',
      precision: 'fp32',
    });
    expect(version).toMatch(/^4\.\d+\.\d+ \(@tensorflow\/tfjs-node-gpu, TensorFlow 2\.\d+\.\d+\)$/);
    expect(notes).toEqual(isUsingGpuDevice ? [] : [expect.stringContaining('computes on the CPU')]);
  });

  it('refuses a device that is not there, rather than to train elsewhere', async () => {
    const { device } = await createTrainer('tfjs');
    await rejection(createTrainer('tfjs', { device: device === 'cpu' ? 'gpu' : 'cpu' }), 'ENGINE_UNAVAILABLE');
  });

  it('holds no tensor between runs, however many there are', async () => {
    const { tf } = await loadTfjs(findPackage('node-gpu')!);
    const trainer = await createTrainer('tfjs');
    const before = tf.memory();
    const step = await trainer.loadStep(program);
    const answers = await trainer.loadAnswers(program);
    for (let i = 0; i < 10; i++) {
      await step.run();
      await answers.run();
    }
    const { numTensors, numBytes } = tf.memory();
    expect({ numTensors, numBytes }).toEqual({ numTensors: before.numTensors, numBytes: before.numBytes });
    await step.dispose();
    await answers.dispose();
  });
});

describe('training on WebAssembly', () => {
  it('is refused in words, installed or not: it has no gradients of convolutions', async () => {
    const { message } = await rejection(createTrainer('tfjs', { package: 'wasm' }), 'OPTION_INVALID');
    expect(message).toMatch(/has no gradients of convolutions\. Choose package node-gpu or node/);
  });
});
