import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../src/extract/engines/engine.ts';
import { createEngine, engineNamed } from '../../../src/extract/engines/index.ts';
import { calibratedProgram } from '../../support/calibrated-program.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { randomPixels, randomWeights, tinyBackbone } from '../../support/tiny-backbone.ts';
import { itIsAnEngine } from './engine-contract.ts';
import { itAgreesWithKeras } from './golden-parity.ts';
import type { LayerProgram } from '../../../src/extract/program.ts';

const makeEngine = () => createEngine('onnxruntime');

describe('the onnxruntime engine', () => {
  // float32 against float64: 10,000 random networks stayed below 2e-6 of the largest value; threads may split a batch
  // differently.
  itIsAnEngine(makeEngine, { reference: 5e-6, batch: 1e-5 });

  // Both sides sum the same float32 products in another order: 1.2e-6 was measured, swapped channels give 0.3 or more.
  // The rest is room for the kernels of other processors.
  itAgreesWithKeras(makeEngine, { error: 1e-4, cosine: 0.999999 });

  describe('in int8', () => {
    const makeInt8 = () => createEngine('onnxruntime', { precision: 'int8' });
    // 572 random networks calibrated on the very pixels stayed below 0.023 of the largest value. Sums of integers are
    // exact, so that other batches and cuts gave the same bytes; the float first layer may fall to the other side of
    // one of 255 steps elsewhere.
    itIsAnEngine(makeInt8, { reference: 0.05, otherWay: 0.01, batch: 0.01 });

    it('refuses a program without calibration, and float32 ignores a calibration', async () => {
      const backbone = tinyBackbone([4, 0, 4]);
      const program: LayerProgram = {
        backbone,
        weights: randomWeights(backbone, 1),
        contract: { ...kerasCaffe, size: 8 },
        outputs: [{ cut: 'conv2', pooling: 'flatten' }],
      };
      await expect((await makeInt8()).load(program)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
      const pixels = randomPixels(1, 8, 3);
      const features = async (engine: Engine, given: LayerProgram): Promise<Float32Array> => {
        const loaded = await engine.load(given);
        const [found] = await loaded.run(pixels, 1);
        await loaded.dispose();
        return found!.data;
      };
      const calibrated = await calibratedProgram(program, pixels);
      const float = await features(await makeEngine(), program);
      expect(await features(await makeEngine(), calibrated)).toEqual(float);
      expect(await features(await makeInt8(), calibrated)).not.toEqual(float);
    });
  });

  it('runs in float32 on the CPU and refuses what it does not have', async () => {
    expect(await makeEngine()).toMatchObject({ name: 'onnxruntime', device: 'cpu', precision: 'fp32' });
    for (const options of [{ device: 'gpu' }, { precision: 'bf16' }, { threads: -1 }, { thread: 2 }]) {
      await expect(engineNamed('onnxruntime', options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});
