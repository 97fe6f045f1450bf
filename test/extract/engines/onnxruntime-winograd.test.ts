import { describe, expect, it } from 'vitest';
import { vgg16 } from '../../../src/extract/backbones/vgg16.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import type { Program } from '../../../src/extract/engines/engine.ts';
import { programGraph } from '../../../src/extract/graph/program-graph.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { randomWeights, slimmed } from '../../support/tiny-backbone.ts';
import { itIsAnEngine } from './engine-contract.ts';
import { itAgreesWithKeras } from './golden-parity.ts';

const makeEngine = (options = {}) => createEngine('onnxruntime-winograd', options);

describe('the onnxruntime-winograd engine', () => {
  // Every convolution but the first by Winograd, maps of any side. The transforms multiply by up to 8 and divide again: a layer loses
  // about one digit of float32 (1e-5 of the largest value at most with 512 channels), which the batch's matrix products round anew.
  itIsAnEngine(() => makeEngine({ leastChannels: 1 }), { reference: 5e-5, batch: 1e-5 });

  // 2e-6 to 5e-6 of the largest value was measured against the direct convolutions.
  itAgreesWithKeras(makeEngine, { error: 1e-4, cosine: 0.999999 });

  it('takes the wide layers only, and calls itself by its own name', async () => {
    expect(await makeEngine()).toMatchObject({
      name: 'onnxruntime-winograd',
      device: 'cpu',
      precision: 'fp32',
    });
    const backbone = slimmed(vgg16, 16);
    const program: Program = {
      backbone,
      weights: randomWeights(backbone, 1),
      contract: { ...kerasCaffe, size: 32 },
      outputs: [{ cut: 'block5_pool', pooling: 'avg' }],
    };
    const transformed = programGraph(program, { winogradFrom: 16 })
      .nodes.map(({ outputs }) => outputs[0]!)
      .filter((name) => name.endsWith('kernel/winograd'));
    // Input channels of the slim layers: 3, 4, 4, 8, 8, 16, 16, 16, 32 ...
    expect(transformed).toEqual(
      ['block3_conv2', 'block3_conv3', 'block4_conv1', 'block4_conv2', 'block4_conv3']
        .concat(['block5_conv1', 'block5_conv2', 'block5_conv3'])
        .map((layer) => `${layer}/kernel/winograd`),
    );
    for (const options of [{ device: 'webgpu' }, { precision: 'int8' }, { leastChannels: 0 }]) {
      await expect(makeEngine(options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});
