import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createTrainer, TRAINER_NAMES, trainerNamed } from '../../../src/extract/engines/trainers.ts';
import type { TailProgram } from '../../../src/extract/training.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { relativeError } from '../../support/golden.ts';
import { randomTailValues } from '../../support/naive-tail.ts';
import { itHasTheGradientsOfTensorFlow } from './golden-gradients.ts';
import { itIsATrainer } from './trainer-contract.ts';

const folder = temporaryFolders();

describe('the onnxruntime trainer', () => {
  itIsATrainer(() => createTrainer('onnxruntime'));
  itHasTheGradientsOfTensorFlow(() => createTrainer('onnxruntime'), 2e-5);
});

describe('createTrainer', () => {
  it('refuses other precisions and says why', async () => {
    for (const name of TRAINER_NAMES) {
      const bf16 = await rejection(trainerNamed(name, { precision: 'bf16' }), 'OPTION_INVALID');
      expect(bf16.message).toMatch(/Training in bf16 is refused: gradients in bf16 are 5 to 18 % off\. .*fp32/);
      const int8 = await rejection(trainerNamed(name, { precision: 'int8' }), 'OPTION_INVALID');
      expect(int8.message).toMatch(/integers have no gradients/);
    }
  });

  it('refuses what it does not know', async () => {
    const { message } = await rejection(trainerNamed('onnxruntim', {}), 'OPTION_INVALID');
    expect(message).toMatch(/did you mean "onnxruntime".*onnxruntime, openvino, tfjs/);
    await rejection(trainerNamed('onnxruntime-winograd', {}), 'OPTION_INVALID');
    await rejection(trainerNamed('onnxruntime', { device: 'gpu' }), 'OPTION_INVALID');
    await rejection(trainerNamed('onnxruntime', { theads: 2 }), 'OPTION_INVALID');
  });
});

const program: TailProgram = {
  layers: [
    { kind: 'conv', name: 'a', inputs: 3, filters: 6 },
    { kind: 'conv', name: 'b', inputs: 6, filters: 7 },
    { kind: 'maxPool', name: 'p' },
    { kind: 'conv', name: 'c', inputs: 7, filters: 4 },
  ],
  input: { height: 20, width: 18, channels: 3 },
  batch: 3,
  head: { pooling: 'avg', norm: 'l2', classes: 3 },
};

interface Found {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** One step on the CPU in this thread. */
async function expectedStep(values: ReturnType<typeof randomTailValues>): Promise<Found> {
  const step = await (await createTrainer('onnxruntime')).loadStep(program);
  step.x.set(values.get('x')!);
  step.y.set(values.get('y')!);
  for (const [name, array] of step.parameters) array.set(values.get(name)!);
  return { loss: await step.run(), gradients: step.gradients };
}

function expectEqual({ loss, gradients }: Found, expected: Found): void {
  expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-5);
  expect([...gradients.keys()]).toEqual([...expected.gradients.keys()]);
  for (const [name, gradient] of gradients) {
    // Both are float32 with the sums in another order.
    expect(relativeError(gradient, expected.gradients.get(name)!)).toBeLessThan(2e-5);
  }
}

/** Arguments of test/support/run-step.mjs for these values, and what it found. */
function inFiles(values: ReturnType<typeof randomTailValues>, options: object) {
  const [from, to] = [join(folder(), 'in'), join(folder(), 'out')];
  writeFileSync(from, serialize({ program, values }));
  const script = fileURLToPath(new URL('../../support/run-step.mjs', import.meta.url));
  return {
    script,
    args: [JSON.stringify(options), from, to],
    found: () => deserialize(readFileSync(to)) as Found,
  };
}

describe('a step in a worker thread', () => {
  it('is the step of the main thread, to the last byte', async () => {
    const values = randomTailValues(program, 3);
    const { script, args, found } = inFiles(values, {});
    const worker = new Worker(script, { argv: args });
    const code = await new Promise((resolve, reject) => worker.once('error', reject).once('exit', resolve));
    expect(code).toBe(0);
    const expected = await expectedStep(values);
    expect(found()).toEqual({ loss: expected.loss, gradients: expected.gradients });
  });
});

// Vulkan in software, from Debian's package chromium: a real WebGPU device where there is no GPU.
const ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';
const title = existsSync(ICD) ? 'webgpu on SwiftShader' : `webgpu on SwiftShader [skipped: ${ICD} is missing]`;

describe.skipIf(!existsSync(ICD))(title, () => {
  it('runs each operator of a step, none on the CPU, with the gradients of the CPU', async () => {
    const values = randomTailValues(program, 4);
    const { script, args, found } = inFiles(values, { device: 'webgpu' });
    const { status, signal, stderr } = spawnSync(process.execPath, [script, ...args], {
      env: { ...process.env, VK_ICD_FILENAMES: ICD, VK_DRIVER_FILES: ICD },
      encoding: 'utf8',
    });
    expect({ status, signal, stderr }).toMatchObject({ status: 0, signal: null });
    expectEqual(found(), await expectedStep(values));
  });
});
