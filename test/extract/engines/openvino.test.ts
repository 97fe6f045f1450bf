import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import type { Precision } from '../../../src/extract/engines/engine.ts';
import { createEngine, engineNamed } from '../../../src/extract/engines/index.ts';
import { requireOpenVino } from '../../../src/extract/engines/openvino/require-openvino.ts';
import { extractFeatures } from '../../../src/extract/pipeline.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { hasOpenVino, needsOpenVino } from '../../support/openvino.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { randomPixels, randomWeights, slimmed } from '../../support/tiny-backbone.ts';
import { itIsAnEngine } from './engine-contract.ts';
import { itAgreesWithKeras } from './golden-parity.ts';

const makeEngine =
  (precision: Precision, options = {}) =>
  () =>
    createEngine('openvino', { precision, cache: false, ...options });

const newFolder = temporaryFolders();

const slim = slimmed(vgg16, 16);
const program = {
  backbone: slim,
  weights: randomWeights(slim, 1),
  contract: { ...kerasCaffe, size: 32 },
  outputs: [{ cut: 'block5_pool', pooling: 'flatten' }],
} as const;

describe.skipIf(!hasOpenVino)(needsOpenVino('the openvino engine'), () => {
  describe('in fp32', () => {
    // As onnxruntime's: float32 sums in another order. A request holds one image, so other images cannot change its
    // features.
    itIsAnEngine(makeEngine('fp32'), { reference: 5e-6, batch: 0 });
    describe('with every convolution but the first by Winograd', () => {
      // As onnxruntime-winograd's.
      itIsAnEngine(makeEngine('fp32', { leastFilters: 1 }), { reference: 5e-5, batch: 0 });
    });
    // 8e-6 was measured.
    itAgreesWithKeras(makeEngine('fp32'), { error: 1e-4, cosine: 0.999999 });
  });

  describe('in bf16', () => {
    // bf16 keeps 8 bits of a number: one rounding is off by 2^-9 at most, and those of up to 14 layers add up.
    itIsAnEngine(makeEngine('bf16'), { reference: 3e-2, batch: 0 });
    // 6.5e-3 and 0.99993 were measured on the worst of the cuts.
    itAgreesWithKeras(makeEngine('bf16'), { error: 1.5e-2, cosine: 0.9998 });
  });

  describe('in int8', () => {
    // The same QDQ graph as onnxruntime's, whose suite says where the bounds come from; a request holds one image.
    itIsAnEngine(makeEngine('int8'), { reference: 0.05, otherWay: 0.01, batch: 0 });
  });

  it('says what it is, and refuses what it does not have', async () => {
    const engine = await createEngine('openvino', { precision: 'bf16' });
    expect(engine).toMatchObject({ name: 'openvino', device: 'cpu', precision: 'bf16' });
    expect(engine.version).toMatch(/^20\d\d\.\d+\.\d+$/);
    for (const options of [{ device: 'gpu' }, { precision: 'fp16' }, { threads: -1 }, { thread: 2 }]) {
      await expect(engineNamed('openvino', options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });

  it('refuses int8 without a calibration', async () => {
    const engine = await makeEngine('int8')();
    await expect(engine.load(program)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('leaves JavaScript free while it infers', async () => {
    const loaded = await (
      await makeEngine('fp32')()
    ).load({
      ...program,
      contract: { ...kerasCaffe, size: 224 },
    });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await loaded.run(randomPixels(48, 224, 1), 48);
    clearInterval(timer);
    await loaded.dispose();
    expect(turns).toBeGreaterThan(10);
  });

  it("tells OpenVINO's own message when OpenVINO fails, once, and works on", async () => {
    const openVino = await requireOpenVino();
    const core = openVino.createCore();
    const nonsense = openVino.readModel(core, new TextEncoder().encode('no model'));
    const error = await nonsense.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PermafrostError);
    expect(error).toMatchObject({ code: 'ENGINE_FAILED' });
    expect((error as Error).message).toMatch(/^OpenVINO could not read the model: .*\w{4}.*/);
    openVino.freeCore(core);
    const loaded = await (await makeEngine('fp32')()).load(program);
    expect(await loaded.run(randomPixels(1, 32, 1), 1)).toHaveLength(1);
    await loaded.dispose();
  });

  it('stops in the middle when the pipeline is aborted, and disposes with nothing left hanging', async () => {
    const root = await stripedDataset(newFolder(), 10, 1);
    const loaded = await (await makeEngine('bf16')()).load(program);
    const controller = new AbortController();
    let rows = 0;
    const events = extractFeatures({
      root,
      samples: Array.from({ length: 20 }, (_, i) => ({
        path: `Train/${i % 2 ? 'down' : 'across'}/${Math.floor(i / 2)}.png`,
        label: 'x',
        split: 'train' as const,
      })),
      contract: program.contract,
      executable: loaded,
      batch: 4,
      isKnown: () => false,
      signal: controller.signal,
    });
    for await (const event of events) {
      if (event.kind === 'features') rows += event.batch.rows.length;
      controller.abort();
    }
    expect(rows).toBe(8); // the batch that came out, and the one that was in the network by then
    await loaded.dispose();
  });

  it('gives its memory back: fifty loads and disposals grow the process by less than 40 MB', async () => {
    const engine = await makeEngine('fp32')();
    const cycle = async (): Promise<void> => {
      const loaded = await engine.load(program);
      await loaded.run(randomPixels(4, 32, 2), 4);
      await loaded.dispose();
    };
    for (let i = 0; i < 10; i++) await cycle();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 50; i++) await cycle();
    expect(process.memoryUsage.rss() - before).toBeLessThan(40 * 2 ** 20);
  });
});
