import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSession, onnxRuntime } from '../../../../src/core/onnxruntime.ts';
import { outputName, PIXELS, programGraph } from '../../../../src/extract/graph/program-graph.ts';
import type { LayerProgram } from '../../../../src/extract/program.ts';
import { kerasUnit } from '../../../support/contracts.ts';
import { relativeError } from '../../../support/golden.ts';
import { naiveFeatures, randomPixels, randomWeights, tinyBackbone } from '../../../support/tiny-backbone.ts';

/** Every output of a program for each image, by the graph in strips of `tileBytes`. */
async function inStrips(
  program: LayerProgram,
  pixels: Uint8Array,
  count: number,
  tileBytes: number,
): Promise<Float32Array[][]> {
  const { Tensor } = await onnxRuntime();
  const { size } = program.contract;
  const session = await createSession(
    programGraph(program, { winograd: { leastFilters: 1, batch: count, tileBytes } }),
  );
  const results = await session.run({ [PIXELS]: new Tensor('uint8', pixels, [count, size, size, 3]) });
  await session.release();
  return program.outputs.map((output) => {
    const { data, dims } = results[outputName(output)]!;
    const width = dims[1]!;
    return Array.from({ length: count }, (_, i) => (data as Float32Array).slice(i * width, (i + 1) * width));
  });
}

describe('frozen layers on pixel rows', () => {
  it('give what plain loops give, however few rows a strip has, for maps of any size and pools that drop a row', async () => {
    const poolings = ['flatten', 'avg', 'max'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 4, max: 23 }),
        fc.array(fc.constantFrom(2, 3, 5, 0), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 3000, 10 ** 9),
        fc.integer({ min: 1, max: 3 }),
        async (size, rest, tileBytes, count) => {
          const pools = rest.filter((filters) => filters === 0).length;
          fc.pre(size >> pools >= 1);
          const backbone = tinyBackbone([2, 4, ...rest]);
          const cuts = [backbone.layers.at(-1)!.name, backbone.layers[1]!.name];
          const program: LayerProgram = {
            backbone,
            weights: randomWeights(backbone, size),
            contract: { ...kerasUnit, size },
            outputs: [...new Set(cuts)].flatMap((cut) => poolings.map((pooling) => ({ cut, pooling }))),
          };
          const pixels = randomPixels(count, size, 7);
          const found = await inStrips(program, pixels, count, tileBytes);
          for (let i = 0; i < count; i++) {
            const image = pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3);
            for (const [o, output] of program.outputs.entries()) {
              const { features, largest } = naiveFeatures(program, image, output);
              expect(relativeError(found[o]![i]!, features, largest)).toBeLessThan(5e-5);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
