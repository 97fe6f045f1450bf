import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { cutLayerNames, featureWidth, MAP_POOLINGS, outputShape } from '../../../src/extract/backbones/cut-layers.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import type { Engine } from '../../../src/extract/engines/engine.ts';
import { calibratedProgram } from '../../support/calibrated-program.ts';
import { kerasCaffe, kerasUnit, threeScales } from '../../support/contracts.ts';
import { relativeError } from '../../support/golden.ts';
import {
  channelsOf,
  featuresOf,
  naiveFeatures,
  pooled,
  randomPixels,
  randomWeights,
  slimmed,
  tinyBackbone,
} from '../../support/tiny-backbone.ts';
import { isLayerProgram, type LayerProgram, type Output } from '../../../src/extract/program.ts';

/** Largest difference over largest value that an engine may show. */
export interface EngineTolerances {
  /** To the float64 reference. */
  readonly reference: number;
  /** To the same features reached another way: cut elsewhere, pooled here. Default: `reference`. */
  readonly otherWay?: number;
  /** Between batch sizes. */
  readonly batch: number;
}

/** The network of most tests: the names and depth of VGG16 with a sixteenth of the filters, 32 pixels wide. */
const SIZE = 32;
const slim = slimmed(vgg16, 16);
const slimWeights = randomWeights(slim, 1);

function slimProgram(outputs: readonly Output[]): LayerProgram {
  return { backbone: slim, weights: slimWeights, contract: { ...kerasCaffe, size: SIZE }, outputs };
}

const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** What every engine promises (src/extract/engines/engine.ts), whatever runs underneath. */
export function itIsAnEngine(makeEngine: () => Promise<Engine>, tolerances: EngineTolerances): void {
  const otherWay = tolerances.otherWay ?? tolerances.reference;
  describe('as an engine', () => {
    let engine: Engine;
    beforeAll(async () => {
      const made = await makeEngine();
      // int8 is calibrated on random pixels, where a test does not calibrate on its own.
      const calibrates = made.precision === 'int8';
      engine = {
        ...made,
        load: async (program) =>
          made.load(
            calibrates && isLayerProgram(program) && !program.quantization ? await calibratedProgram(program) : program,
          ),
      };
    });

    it('says its name, device, precision and version', () => {
      for (const word of [engine.name, engine.device, engine.precision, engine.version]) {
        expect(word).toMatch(/\S/);
      }
    });

    it('gives the same features for an image in a batch of 1, of 5, of 8 and in a partial last batch', async () => {
      const loaded = await engine.load(slimProgram([{ cut: 'block5_pool', pooling: 'flatten' }]));
      const pixels = randomPixels(8, SIZE, 2);
      const imageBytes = SIZE * SIZE * 3;
      const [eight] = await loaded.run(pixels, 8);
      const [five] = await loaded.run(pixels.slice(0, 5 * imageBytes), 5);
      const [three] = await loaded.run(pixels, 3);
      expect([eight!.rows, five!.rows, three!.rows]).toEqual([8, 5, 3]);
      for (let i = 0; i < 8; i++) {
        const [one] = await loaded.run(pixels.slice(i * imageBytes, (i + 1) * imageBytes), 1);
        const alone = featuresOf(one!, 0);
        expect(relativeError(featuresOf(eight!, i), alone)).toBeLessThanOrEqual(tolerances.batch);
        for (const batch of [five!, three!]) {
          if (i >= batch.rows) continue;
          expect(relativeError(featuresOf(batch, i), alone)).toBeLessThanOrEqual(tolerances.batch);
        }
      }
      await loaded.dispose();
    });

    it('can be cut at each of the layers, with the same features whether or not the network goes on', async () => {
      const pixels = randomPixels(2, SIZE, 3);
      const outputs = cutLayerNames(slim).map((cut) => ({ cut, pooling: 'flatten' }) as const);
      const whole = await engine.load(slimProgram(outputs));
      const all = await whole.run(pixels, 2);
      for (const [i, output] of outputs.entries()) {
        const loaded = await engine.load(slimProgram([output]));
        const [features] = await loaded.run(pixels, 2);
        const shape = outputShape(slim, output.cut, SIZE);
        expect([features!.rows, features!.cols]).toEqual([2, featureWidth(shape, 'flatten')]);
        expect(relativeError(features!.data, all[i]!.data)).toBeLessThanOrEqual(otherWay);
        await loaded.dispose();
      }
      await whole.dispose();
    });

    it('pools to the average, maximum and generalised mean of the flatten output, in the order of the program', async () => {
      const cuts = ['block1_pool', 'block3_conv2', 'block4_pool'];
      const outputs = cuts.flatMap((cut) => MAP_POOLINGS.map((pooling) => ({ cut, pooling }) as const));
      const program = slimProgram(outputs.toReversed());
      const loaded = await engine.load(program);
      const features = (await loaded.run(randomPixels(2, SIZE, 4), 2)).toReversed();
      for (const [i, { cut, pooling }] of outputs.entries()) {
        if (pooling === 'flatten') continue;
        const flat = features[outputs.findIndex((other) => other.cut === cut && other.pooling === 'flatten')]!;
        for (const row of [0, 1]) {
          const expected = pooled(featuresOf(flat, row), channelsOf(program, cut), pooling);
          expect(relativeError(featuresOf(features[i]!, row), expected)).toBeLessThanOrEqual(otherWay);
        }
      }
      await loaded.dispose();
    });

    it('computes what plain loops compute, for any layers, contract and pooling', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom(0, 1, 3, 5, 8), { maxLength: 4 }),
          fc.constantFrom(1, 4, 7),
          fc.integer({ min: 8, max: 13 }),
          fc.constantFrom(kerasCaffe, kerasUnit, threeScales),
          fc.constantFrom(...MAP_POOLINGS),
          fc.integer({ min: 1, max: 3 }),
          fc.nat(1000),
          async (deeper, firstFilters, size, contract, pooling, count, seed) => {
            // Three pools at most: a side of 8 survives them.
            fc.pre(deeper.filter((filters) => filters === 0).length <= 3);
            const backbone = tinyBackbone([firstFilters, ...deeper]);
            const output: Output = { cut: backbone.layers.at(-1)!.name, pooling };
            const weights = randomWeights(backbone, seed);
            const program = { backbone, weights, contract: { ...contract, size }, outputs: [output] };
            const pixels = randomPixels(count, size, seed + 1);
            const loaded = await engine.load(
              engine.precision === 'int8' ? await calibratedProgram(program, pixels) : program,
            );
            const [features] = await loaded.run(pixels, count);
            await loaded.dispose();
            for (let i = 0; i < count; i++) {
              const image = pixels.subarray(i * size * size * 3, (i + 1) * size * size * 3);
              const { features: expected, largest } = naiveFeatures(program, image, output);
              const error = relativeError(featuresOf(features!, i), expected, largest);
              expect(error).toBeLessThanOrEqual(tolerances.reference);
            }
          },
        ),
        { numRuns: 40 },
      );
    });

    it('keeps two executables apart, also when their runs overlap', async () => {
      const first = slimProgram([{ cut: 'block2_pool', pooling: 'avg' }]);
      const second: LayerProgram = { ...first, weights: randomWeights(slim, 9) };
      const a = await engine.load(first);
      const b = await engine.load(second);
      const pixels = randomPixels(2, SIZE, 5);
      const [alone] = await a.run(pixels, 2);
      const [[fromA], [fromB], [again]] = await Promise.all([a.run(pixels, 2), b.run(pixels, 2), a.run(pixels, 2)]);
      expect(relativeError(fromA!.data, alone!.data)).toBeLessThanOrEqual(tolerances.batch);
      expect(relativeError(again!.data, alone!.data)).toBeLessThanOrEqual(tolerances.batch);
      expect(relativeError(fromB!.data, alone!.data)).toBeGreaterThan(0.1);
      await Promise.all([a.dispose(), b.dispose()]);
    });

    it('hands out features that later runs and dispose leave alone, and does not touch the pixels', async () => {
      const loaded = await engine.load(slimProgram([{ cut: 'block1_pool', pooling: 'flatten' }]));
      const pixels = randomPixels(2, SIZE, 6);
      const untouched = pixels.slice();
      const [features] = await loaded.run(pixels, 2);
      const copy = features!.data.slice();
      await loaded.run(randomPixels(2, SIZE, 7), 2);
      await loaded.dispose();
      expect(features!.data).toEqual(copy);
      expect(pixels).toEqual(untouched);
    });

    it('fails once with ENGINE_FAILED on too few pixels or no image, and goes on', async () => {
      const loaded = await engine.load(slimProgram([{ cut: 'block1_pool', pooling: 'avg' }]));
      const pixels = randomPixels(1, SIZE, 8);
      for (const [bytes, count] of [
        [pixels, 2],
        [pixels, 0],
        [pixels, 0.5],
        [pixels.subarray(1), 1],
      ] as const) {
        const error = await refusal(loaded.run(bytes, count));
        expect(error).toBeInstanceOf(PermafrostError);
        expect(error).toMatchObject({ code: 'ENGINE_FAILED' });
      }
      expect(await loaded.run(pixels, 1)).toHaveLength(1);
      await loaded.dispose();
    });

    it('refuses to load an unknown cut, naming the nearest', async () => {
      const error = await refusal(engine.load(slimProgram([{ cut: 'block5_pol', pooling: 'avg' }])));
      expect(error).toMatchObject({ code: 'OPTION_INVALID' });
      expect((error as Error).message).toContain('did you mean "block5_pool"');
    });

    it('finishes the runs in flight before it disposes, then refuses to run; disposing twice is harmless', async () => {
      const loaded = await engine.load(slimProgram([{ cut: 'block5_pool', pooling: 'avg' }]));
      const pixels = randomPixels(2, SIZE, 10);
      const [expected] = await loaded.run(pixels, 2);
      const running = [loaded.run(pixels, 2), loaded.run(pixels, 2)];
      await Promise.all([loaded.dispose(), loaded.dispose()]);
      for (const [features] of await Promise.all(running)) {
        expect(relativeError(features!.data, expected!.data)).toBeLessThanOrEqual(tolerances.batch);
      }
      await loaded.dispose();
      expect(await refusal(loaded.run(pixels, 2))).toMatchObject({ code: 'ENGINE_FAILED' });
    });
  });
}
