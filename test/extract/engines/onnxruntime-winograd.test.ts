import { describe, expect, it } from 'vitest';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { programGraph } from '../../../src/extract/graph/program-graph.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { randomWeights, slimmed } from '../../support/tiny-backbone.ts';
import { itIsAnEngine } from './engine-contract.ts';
import { itAgreesWithKeras } from './golden-parity.ts';
import type { LayerProgram } from '../../../src/extract/program.ts';

const makeEngine = (options = {}) => createEngine('onnxruntime-winograd', options);

describe('the onnxruntime-winograd engine', () => {
  // Every convolution but the first by Winograd, maps of any side. The transforms multiply by up to 8 and divide again:
  // a layer loses about one digit of float32 (1e-5 of the largest value at most with 512 channels), which the batch's
  // matrix products round anew.
  itIsAnEngine(() => makeEngine({ leastFilters: 1 }), { reference: 5e-5, batch: 1e-5 });

  // 2e-6 to 5e-6 of the largest value was measured against the direct convolutions.
  itAgreesWithKeras(makeEngine, { error: 1e-4, cosine: 0.999999 });

  it('gives each image its own row however many images it infers in one call, a rest included', async () => {
    const backbone = slimmed(vgg16, 16);
    const contract = { ...kerasCaffe, size: 32 };
    const outputs = (['flatten', 'avg'] as const).map((pooling) => ({ cut: 'block5_pool', pooling }));
    const program: LayerProgram = { backbone, weights: randomWeights(backbone, 1), contract, outputs };
    const count = 7;
    const pixels = Uint8Array.from({ length: count * 32 * 32 * 3 }, (_, i) => (i * 37 + (i >> 7) * 11) % 256);
    const [atOnce, ...others] = await Promise.all(
      [count, 1, 3, 4].map(async (imagesAtOnce) => {
        const executable = await (await makeEngine({ leastFilters: 1, imagesAtOnce })).load(program);
        const found = await executable.run(pixels, count);
        await executable.dispose();
        return found;
      }),
    );
    const largest = atOnce!.map(({ data }) => data.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
    for (const other of others) {
      for (const [o, { rows, cols, data }] of other.entries()) {
        expect([rows, cols]).toEqual([count, atOnce![o]!.cols]);
        const apart = data.map((value, i) => Math.abs(value - atOnce![o]!.data[i]!));
        expect(Math.max(...apart) / largest[o]!).toBeLessThan(1e-5);
      }
    }
    // Images differ, so rows in a wrong order would too.
    const [first, last] = [atOnce![1]!.data.subarray(0, 4), atOnce![1]!.data.slice(-atOnce![1]!.cols)];
    expect(first).not.toEqual(last.subarray(0, 4));
  });

  it('begins with the first wide layer, and calls itself by its own name', async () => {
    expect(await makeEngine()).toMatchObject({
      name: 'onnxruntime-winograd',
      device: 'cpu',
      precision: 'fp32',
    });
    const backbone = slimmed(vgg16, 16);
    const program: LayerProgram = {
      backbone,
      weights: randomWeights(backbone, 1),
      contract: { ...kerasCaffe, size: 32 },
      outputs: [{ cut: 'block5_pool', pooling: 'avg' }],
    };
    // Filters of the slim layers: 4, 4, 8, 8, 16, 16, 16, 32 ...
    const direct = programGraph(program, { winograd: { leastFilters: 16, batch: 8, tileBytes: 2 ** 25 } }).nodes.filter(
      ({ op }) => op === 'Conv',
    );
    expect(direct.map(({ inputs }) => inputs[1])).toEqual(
      ['block1_conv1', 'block1_conv2', 'block2_conv1', 'block2_conv2'].map((layer) => `${layer}/kernel`),
    );
    for (const options of [{ device: 'webgpu' }, { precision: 'int8' }, { leastFilters: 0 }, { imagesAtOnce: 0 }]) {
      await expect(makeEngine(options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});
