import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MAP_POOLINGS } from '../../../src/extract/backbones/cut-layers.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { createEngine, engineNamed } from '../../../src/extract/engines/index.ts';
import { permafrost } from '../../support/command.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { relativeError } from '../../support/golden.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { randomPixels, randomWeights, slimmed } from '../../support/tiny-backbone.ts';
import type { LayerProgram } from '../../../src/extract/program.ts';

const folder = temporaryFolders();
const SIZE = 32;
const backbone = slimmed(vgg16, 16);
const program: LayerProgram = {
  backbone,
  weights: randomWeights(backbone, 1),
  contract: { ...kerasCaffe, size: SIZE },
  outputs: ['block1_conv1', 'block3_pool', 'block5_pool'].flatMap((cut) =>
    MAP_POOLINGS.map((pooling) => ({ cut, pooling }) as const),
  ),
};

describe('a device that cannot run', () => {
  const absent = process.platform === 'linux' ? ['coreml', 'dml'] : ['cuda'];
  it.each(absent)('%s is refused with what this package has and what to do', async (device) => {
    const { message } = await rejection(engineNamed('onnxruntime', { device }), 'ENGINE_UNAVAILABLE');
    expect(message).toMatch(new RegExp(`device ${device}: its package for .* has only cpu,.*--device cpu`));
  });

  const provider = new URL(
    '../../../node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so',
    import.meta.url,
  );
  it.runIf(process.platform === 'linux' && process.arch === 'x64' && !existsSync(provider))(
    'cuda without its libraries is refused with the runtime’s reason and how to get them',
    async () => {
      const { message } = await rejection(createEngine('onnxruntime', { device: 'cuda' }), 'ENGINE_UNAVAILABLE');
      expect(message).toMatch(/device cuda: .*Failed to load shared library.*PERMAFROST_ONNXRUNTIME/);
    },
  );

  const noDriver = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' };
  it.runIf(process.platform === 'linux')(
    'webgpu without a driver is an error with the runtime’s reason, never the CPU instead',
    async () => {
      const root = await stripedDataset(join(folder(), 'Stripes'), 1, 1);
      const store = join(folder(), 'store');
      const args = ['extract', root, '--store', store, '--device', 'webgpu', '--quiet'];
      const { code, stderr } = await permafrost(args, { env: noDriver });
      expect(code).toBe(1);
      expect(stderr).toMatch(/device webgpu: .*adapter.* Vulkan .*Or take --device cpu\. \[ENGINE_UNAVAILABLE\]/);
      expect(existsSync(store)).toBe(false);
    },
  );

  it('int8 is refused on any device but the CPU', async () => {
    const options = { device: 'webgpu', precision: 'int8' };
    await rejection(engineNamed('onnxruntime', options), 'OPTION_INVALID');
  });
});

// Vulkan in software, from Debian's package chromium: a real WebGPU device where there is no GPU.
const ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';
const title = existsSync(ICD) ? 'webgpu on SwiftShader' : `webgpu on SwiftShader [skipped: ${ICD} is missing]`;

describe.skipIf(!existsSync(ICD))(title, () => {
  function inAnotherProcess(given: LayerProgram, pixels: Uint8Array, counts: readonly number[]) {
    const [from, to] = [join(folder(), 'in'), join(folder(), 'out')];
    writeFileSync(from, serialize({ program: given, pixels, counts }));
    const script = fileURLToPath(new URL('../../support/run-program.mjs', import.meta.url));
    const options = JSON.stringify({ device: 'webgpu' });
    const { status, signal, stderr } = spawnSync(process.execPath, [script, options, from, to], {
      env: { ...process.env, VK_ICD_FILENAMES: ICD, VK_DRIVER_FILES: ICD },
      encoding: 'utf8',
    });
    return {
      status,
      signal,
      stderr,
      found: () => deserialize(readFileSync(to)) as readonly (readonly Float32Array[])[],
    };
  }

  it('refuses a model with an operator that the device lacks, which ONNX Runtime would run on the CPU', () => {
    const script = `
      const { createSession } = await import('./dist/core/onnxruntime.js');
      const { onDevice } = await import('./dist/extract/engines/onnxruntime-device.js');
      const graph = {
        name: 'lacking', initializers: [],
        nodes: [{ op: 'NonZero', inputs: ['a'], outputs: ['b'] }],
        inputs: [{ name: 'a', type: 'float32', shape: [4] }],
        outputs: [{ name: 'b', type: 'int64', shape: [1, 'n'] }],
      };
      const refusal = await createSession(graph, onDevice('webgpu')).then(() => 'none', (e) => e.message);
      const alone = await createSession(graph, { executionProviders: ['webgpu'] }).then(() => 'none', (e) => e.message);
      console.log(JSON.stringify({ refusal, alone }));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, VK_ICD_FILENAMES: ICD, VK_DRIVER_FILES: ICD },
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual({
      refusal: expect.stringContaining('fallback to CPU EP has been explicitly disabled') as string,
      alone: 'none',
    });
  });

  it('gives the features of the CPU at each cut and pooling, for one image and for three', async () => {
    const pixels = randomPixels(3, SIZE, 2);
    const { status, signal, stderr, found } = inAnotherProcess(program, pixels, [3, 1]);
    expect({ status, signal, stderr }).toMatchObject({ status: 0, signal: null });
    const cpu = await (await createEngine('onnxruntime')).load(program);
    for (const [i, count] of [3, 1].entries()) {
      const expected = await cpu.run(pixels, count);
      for (const [o, { data }] of expected.entries()) {
        // Both are float32 with the sums in another order.
        expect(relativeError(found()[i]![o]!, data)).toBeLessThan(1e-5);
      }
    }
    const other = { ...program, weights: randomWeights(backbone, 2) };
    const apart = await (await createEngine('onnxruntime')).load(other);
    const [first] = await apart.run(pixels, 3);
    expect(relativeError(found()[0]![0]!, first!.data)).toBeGreaterThan(0.1);
    await Promise.all([cpu.dispose(), apart.dispose()]);
  });
});
