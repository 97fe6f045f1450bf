import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { itIsAnEngine } from './engine-contract.ts';
import { itAgreesWithKeras } from './golden-parity.ts';

const makeEngine = () => createEngine('onnxruntime');

describe('the onnxruntime engine', () => {
  // float32 against float64: 10,000 random networks stayed below 2e-6 of the largest value; threads may split a batch differently.
  itIsAnEngine(makeEngine, { reference: 5e-6, batch: 1e-5 });

  // Both sides sum the same float32 products in another order: 1.2e-6 was measured, swapped channels give 0.3 or more. The rest
  // is room for the kernels of other processors.
  itAgreesWithKeras(makeEngine, { error: 1e-4, cosine: 0.999999 });

  it('runs in float32 on the CPU and refuses what it does not have', async () => {
    expect(await makeEngine()).toMatchObject({ name: 'onnxruntime', device: 'cpu', precision: 'fp32' });
    for (const options of [{ device: 'gpu' }, { precision: 'bf16' }, { threads: -1 }, { thread: 2 }]) {
      await expect(createEngine('onnxruntime', options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});
