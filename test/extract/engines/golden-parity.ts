import { beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import type { Matrix } from '../../../src/core/matrix.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg16.ts';
import type { Engine, Output } from '../../../src/extract/engines/engine.ts';
import { loadWeights, type LoadedWeights } from '../../../src/extract/weights/load-weights.ts';
import { kerasCaffe, kerasUnit } from '../../support/contracts.ts';
import { goldenFloats, goldenTensors, relativeError } from '../../support/golden.ts';
import { hasShared, needsShared } from '../../support/shared.ts';

const CUTS = ['block1_pool', 'block2_pool', 'block3_pool', 'block4_pool', 'block5_conv3', 'block5_pool'];
const OUTPUTS: readonly Output[] = [
  ...CUTS.map((cut) => ({ cut, pooling: 'avg' }) as const),
  { cut: 'block5_pool', pooling: 'flatten' },
];

const goldenName = ({ cut, pooling }: Output): string => (pooling === 'avg' ? `${cut}/gap` : cut);

/** Compares an engine's whole feature vectors with those of Keras for eight photographs. Tolerance: max |error| / max |value|. */
export function itAgreesWithKeras(makeEngine: () => Promise<Engine>, tolerance: number): void {
  describe.skipIf(!hasShared('golden'))(needsShared('golden', 'against golden features of Keras'), () => {
    let engine: Engine;
    let weights: LoadedWeights;
    let pixels: Uint8Array;
    const errors = new Map<string, readonly number[]>();

    async function errorsUnder(contract: Contract, golden: string): Promise<readonly number[]> {
      const features = goldenTensors('features.safetensors');
      const loaded = await engine.load({ backbone: vgg16, weights, contract, outputs: OUTPUTS });
      const found: readonly Matrix[] = await loaded.run(pixels, 8);
      await loaded.dispose();
      return OUTPUTS.map((output, i) =>
        relativeError(found[i]!.data, goldenFloats(features, `${golden}/${goldenName(output)}`)),
      );
    }

    beforeAll(async () => {
      engine = await makeEngine();
      weights = await loadWeights({ backbone: vgg16 });
      pixels = goldenTensors('pixels.safetensors').get('nearest')!.data as Uint8Array;
      errors.set('caffe', await errorsUnder(kerasCaffe, 'caffe'));
      errors.set('unit', await errorsUnder(kerasUnit, 'unit'));
      errors.set('swapped', await errorsUnder({ ...kerasCaffe, channelOrder: 'RGB' }, 'caffe'));
    });

    for (const golden of ['caffe', 'unit']) {
      for (const [i, output] of OUTPUTS.entries()) {
        it(`gives the ${goldenName(output)} of Keras under the ${golden} contract`, () => {
          expect(errors.get(golden)![i]).toBeLessThanOrEqual(tolerance);
        });
      }
    }

    it('disagrees with Keras at every cut when red and blue are swapped, so the comparison can fail', () => {
      for (const error of errors.get('swapped')!) expect(error).toBeGreaterThan(100 * tolerance);
    });
  });
}
