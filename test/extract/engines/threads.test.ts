import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import type { Engine } from '../../../src/extract/engines/engine.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import type { LayerProgram } from '../../../src/extract/program.ts';
import { loadWeights } from '../../../src/extract/weights/load-weights.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { hasOpenVino, needsOpenVino } from '../../support/openvino.ts';
import { randomPixels, randomWeights, slimmed } from '../../support/tiny-backbone.ts';

const IMAGES = 13;
const BATCH = 8;

const bytes = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** Features of the images of `pixels`, eight at a time as a run has them. */
async function featuresOf(engine: Engine, program: LayerProgram, pixels: Uint8Array): Promise<Buffer> {
  const loaded = await engine.load(program);
  const size = program.contract.size ** 2 * 3;
  const found: Buffer[] = [];
  for (let first = 0; first < IMAGES; first += BATCH) {
    const count = Math.min(BATCH, IMAGES - first);
    const outputs = await loaded.run(pixels.subarray(first * size, (first + count) * size), count);
    for (const { data } of outputs) found.push(Buffer.from(bytes(data)));
  }
  await loaded.dispose();
  return Buffer.concat(found);
}

/** The processors that each thread of this process may run on; one value where none is tied. */
const affinities = (): ReadonlySet<string> =>
  new Set(
    readdirSync('/proc/self/task').map(
      (id) => /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync(`/proc/self/task/${id}/status`, 'utf8'))![1]!,
    ),
  );

describe('the number of threads', () => {
  let program: LayerProgram;
  const pixels = randomPixels(IMAGES, 224, 5);
  beforeAll(async () => {
    const outputs = (['flatten', 'avg', 'max'] as const).map((pooling) => ({ cut: 'block5_pool', pooling }));
    program = { backbone: vgg16, weights: await loadWeights({ backbone: vgg16 }), contract: kerasCaffe, outputs };
  });

  async function itDecidesNoBit(make: (threads: number) => Promise<Engine>): Promise<void> {
    const one = await featuresOf(await make(1), program, pixels);
    expect(one.equals(await featuresOf(await make(2), program, pixels))).toBe(true);
  }

  it('decides no bit of the features of onnxruntime', () =>
    itDecidesNoBit((threads) => createEngine('onnxruntime', { threads })));

  it('decides no bit of the features of onnxruntime-winograd', () =>
    itDecidesNoBit((threads) => createEngine('onnxruntime-winograd', { threads })));

  describe.skipIf(!hasOpenVino)(needsOpenVino('of openvino'), () => {
    it.each(['fp32', 'bf16'] as const)('decides no bit of the features in %s', (precision) =>
      itDecidesNoBit((threads) => createEngine('openvino', { precision, threads, cache: false })),
    );
  });

  it('is refused on a device that has no threads to choose', async () => {
    const refused = createEngine('onnxruntime', { device: 'webgpu', threads: 2 });
    await expect(refused).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe.runIf(process.platform === 'linux')('the threads of an engine', () => {
  const slim = slimmed(vgg16, 16);
  const program: LayerProgram = {
    backbone: slim,
    weights: randomWeights(slim, 1),
    contract: { ...kerasCaffe, size: 32 },
    outputs: [{ cut: 'block5_pool', pooling: 'flatten' }],
  };
  const loaded: { dispose(): Promise<void> }[] = [];
  afterAll(async () => {
    for (const one of loaded) await one.dispose();
  });

  // Two processes whose threads are tied to the same cores make half of what one makes, wherever they were put.
  it.each([{ threads: 0 }, { threads: 2 }])('may run wherever the process may: onnxruntime, %o', async (options) => {
    loaded.push(await (await createEngine('onnxruntime', options)).load(program));
    expect(affinities().size).toBe(1);
  });

  describe.skipIf(!hasOpenVino)(needsOpenVino('of openvino'), () => {
    it('may run wherever the process may', async () => {
      const executable = await (await createEngine('openvino', { cache: false })).load(program);
      loaded.push(executable);
      await executable.run(randomPixels(8, 32, 1), 8);
      expect(affinities().size).toBe(1);
    });
  });
});
