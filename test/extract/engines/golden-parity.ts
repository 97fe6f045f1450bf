import { beforeAll, describe, expect, it } from 'vitest';
import type { Contract } from '../../../src/core/contract.ts';
import type { Matrix } from '../../../src/core/matrix.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import type { Engine } from '../../../src/extract/engines/engine.ts';
import { loadWeights, type LoadedWeights } from '../../../src/extract/weights/load-weights.ts';
import { kerasCaffe, kerasUnit } from '../../support/contracts.ts';
import { goldenFloats, goldenTensors, leastCosine, relativeError } from '../../support/golden.ts';
import { hasShared, needsShared } from '../../support/shared.ts';
import type { Output } from '../../../src/extract/program.ts';

const CUTS = ['block1_pool', 'block2_pool', 'block3_pool', 'block4_pool', 'block5_conv3', 'block5_pool'];
const OUTPUTS: readonly Output[] = [
  ...CUTS.map((cut) => ({ cut, pooling: 'avg' }) as const),
  { cut: 'block5_pool', pooling: 'flatten' },
];

const goldenName = ({ cut, pooling }: Output): string => (pooling === 'avg' ? `${cut}/gap` : cut);

/** How far features may be from those of Keras. */
export interface ParityTolerances {
  /** max |error| / max |value| over all eight photographs. */
  readonly error: number;
  /** The least cosine between an image's two vectors. */
  readonly cosine: number;
}

/** Compares an engine's whole feature vectors with those of Keras for eight photographs. */
export function itAgreesWithKeras(makeEngine: () => Promise<Engine>, tolerances: ParityTolerances): void {
  describe.skipIf(!hasShared('golden'))(needsShared('golden', 'against golden features of Keras'), () => {
    let engine: Engine;
    let weights: LoadedWeights;
    let pixels: Uint8Array;
    const differences = new Map<string, readonly ParityTolerances[]>();

    async function compared(contract: Contract, golden: string): Promise<readonly ParityTolerances[]> {
      const features = goldenTensors('features.safetensors');
      const loaded = await engine.load({ backbone: vgg16, weights, contract, outputs: OUTPUTS });
      const found: readonly Matrix[] = await loaded.run(pixels, 8);
      await loaded.dispose();
      return OUTPUTS.map((output, i) => {
        const expected = goldenFloats(features, `${golden}/${goldenName(output)}`);
        const { data, rows } = found[i]!;
        return { error: relativeError(data, expected), cosine: leastCosine(data, expected, rows) };
      });
    }

    beforeAll(async () => {
      engine = await makeEngine();
      weights = await loadWeights({ backbone: vgg16 });
      pixels = goldenTensors('pixels.safetensors').get('nearest')!.data as Uint8Array;
      differences.set('caffe', await compared(kerasCaffe, 'caffe'));
      differences.set('unit', await compared(kerasUnit, 'unit'));
      differences.set('swapped', await compared({ ...kerasCaffe, channelOrder: 'RGB' }, 'caffe'));
    });

    for (const golden of ['caffe', 'unit']) {
      for (const [i, output] of OUTPUTS.entries()) {
        it(`gives the ${goldenName(output)} of Keras under the ${golden} contract`, () => {
          const { error, cosine } = differences.get(golden)![i]!;
          expect(error).toBeLessThanOrEqual(tolerances.error);
          expect(cosine).toBeGreaterThanOrEqual(tolerances.cosine);
        });
      }
    }

    it('disagrees with Keras at every cut when red and blue are swapped, so the comparison can fail', () => {
      // Swapped channels gave errors of 0.34 to 1.1 and cosines of 0.24 to 0.93.
      for (const { error, cosine } of differences.get('swapped')!) {
        expect(error).toBeGreaterThan(10 * tolerances.error);
        expect(cosine).toBeLessThan(tolerances.cosine - 0.01);
      }
    });
  });
}
