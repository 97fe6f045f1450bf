import { beforeAll, describe, expect, it } from 'vitest';
import type { Layer } from '../../../src/extract/backbones/backbone.ts';
import { layersUpTo } from '../../../src/extract/backbones/cut-layers.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { createTrainer } from '../../../src/extract/engines/trainers.ts';
import type { DenseHead, TailAnswers, TailProgram, Trainer, TrainingStep } from '../../../src/extract/training.ts';
import { rejection } from '../../support/errors.ts';
import { relativeError } from '../../support/golden.ts';
import { finiteDifference, naiveTail, randomTailValues, type TailValues } from '../../support/naive-tail.ts';
import { slimmed } from '../../support/tiny-backbone.ts';

/** Differences over the largest value of the same array. Gradients sum float32 products, in any order. */
const TOLERANCE = 2e-5;

const conv = (name: string, inputs: number, filters: number): Layer => ({ kind: 'conv', name, inputs, filters });
const pool = (name: string): Layer => ({ kind: 'maxPool', name });

/** Tails that meet each kind of layer at each of its edges. */
const TAILS: Readonly<Record<string, Pick<TailProgram, 'layers' | 'input'>>> = {
  'convolutions and pools on a map of whole tiles of four': {
    layers: [conv('a', 20, 6), conv('b', 6, 7), pool('p'), conv('c', 7, 4), pool('q')],
    input: { height: 16, width: 16, channels: 20 },
  },
  'the same on a map that fills no tiles': {
    layers: [conv('a', 20, 6), conv('b', 6, 7), pool('p'), conv('c', 7, 4), pool('q')],
    input: { height: 14, width: 10, channels: 20 },
  },
  'odd sides, whose last row and column a pool drops': {
    layers: [conv('a', 17, 5), pool('p'), conv('b', 5, 4), pool('q'), conv('c', 4, 3)],
    input: { height: 13, width: 11, channels: 17 },
  },
  'the first layer of a network, on three channels': {
    layers: [conv('a', 3, 6), conv('b', 6, 5), pool('p'), conv('c', 5, 4), pool('q')],
    input: { height: 16, width: 16, channels: 3 },
  },
  'a cut before a pool, and a pool after a pool': {
    layers: [pool('p'), conv('a', 18, 4), pool('q'), pool('r')],
    input: { height: 18, width: 17, channels: 18 },
  },
  'the dense layer alone': { layers: [], input: { height: 3, width: 2, channels: 5 } },
};

const HEADS: readonly Omit<DenseHead, 'classes'>[] = [
  { pooling: 'avg', norm: 'l2' },
  { pooling: 'avg', norm: 'none' },
  { pooling: 'flatten', norm: 'l2' },
  { pooling: 'flatten', norm: 'none' },
];

/** The names and depth of VGG16 behind block3_pool, with a sixteenth of the filters. */
const slim: TailProgram = {
  layers: slimmed(vgg16, 16).layers.slice(layersUpTo(vgg16, 'block3_pool').length),
  input: { height: 28, width: 28, channels: 16 },
  batch: 4,
  head: { pooling: 'avg', norm: 'l2', classes: 3 },
};

function fill(loaded: TrainingStep | TailAnswers, values: TailValues): void {
  loaded.x.set(values.get('x')!);
  if ('y' in loaded) loaded.y.set(values.get('y')!);
  for (const [name, array] of loaded.parameters) array.set(values.get(name)!);
}

/** A loaded step that has run once on these values. */
async function ran(
  trainer: Trainer,
  program: TailProgram,
  values: TailValues,
): Promise<TrainingStep & { loss: number }> {
  const step = await trainer.loadStep(program);
  fill(step, values);
  const loss = await step.run();
  return { ...step, loss };
}

function expectEqual(found: TrainingStep, expected: TrainingStep): void {
  expect([...found.gradients.keys()]).toEqual([...expected.gradients.keys()]);
  for (const [name, gradient] of found.gradients) {
    const error = relativeError(gradient, expected.gradients.get(name)!);
    expect({ name, isEqual: error < TOLERANCE, error }).toMatchObject({ isEqual: true });
  }
}

/** What every trainer promises (src/extract/training.ts), whatever runs underneath. */
export function itIsATrainer(makeTrainer: () => Promise<Trainer>): void {
  describe('as a trainer', () => {
    let trainer: Trainer;
    beforeAll(async () => {
      trainer = await makeTrainer();
    });

    it('says its name, device, precision and version', () => {
      for (const word of [trainer.name, trainer.device, trainer.version]) expect(word).toMatch(/\S/);
      expect(trainer.precision).toBe('fp32');
    });

    describe.each(Object.entries(TAILS))('with %s', (_, tail) => {
      it.each(HEADS)('has the gradients of finite differences, $pooling and norm $norm', async (head) => {
        const program: TailProgram = { ...tail, batch: 3, head: { ...head, classes: 3 } };
        const values = randomTailValues(program, 5);
        const step = await ran(trainer, program, values);
        const expected = naiveTail(program, values);
        expect(Math.abs(step.loss - expected.loss) / expected.loss).toBeLessThan(TOLERANCE);
        expect(relativeError(step.logits, expected.logits.flat())).toBeLessThan(TOLERANCE);
        for (const [name, gradient] of step.gradients) {
          const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expect(largest).toBeGreaterThan(0);
          for (let k = 0; k < 12; k++) {
            const at = (k * 37) % gradient.length;
            const difference = Math.abs(gradient[at]! - finiteDifference(program, values, name, at)) / largest;
            expect({ name, at, isEqual: difference < TOLERANCE, difference }).toMatchObject({ isEqual: true });
          }
        }
        await step.dispose();
      });
    });

    it('gives the gradients of ONNX Runtime for VGG16’s blocks 4 and 5', async () => {
      const values = randomTailValues(slim, 7);
      const step = await ran(trainer, slim, values);
      const other = await ran(await createTrainer('onnxruntime'), slim, values);
      expectEqual(step, other);
      await Promise.all([step.dispose(), other.dispose()]);
    });

    it('leaves rows out whose targets are zero: a padded batch is the batch without them', async () => {
      const three = { ...slim, batch: 3 };
      const values = randomTailValues(three, 8);
      const alone = await ran(trainer, three, values);
      const padded: TailValues = new Map(values);
      padded.set('x', Float32Array.of(...values.get('x')!, ...values.get('x')!.subarray(0, 28 * 28 * 16)));
      padded.set('y', Float32Array.of(...values.get('y')!, 0, 0, 0));
      const step = await ran(trainer, slim, padded);
      expect(step.loss).toBeCloseTo(alone.loss, 6);
      expectEqual(step, alone);
      await Promise.all([step.dispose(), alone.dispose()]);
    });

    it('adds up: the gradients of a batch are those of its halves together', async () => {
      const values = randomTailValues(slim, 9);
      const whole = await ran(trainer, slim, values);
      const half = await trainer.loadStep({ ...slim, batch: 2 });
      const sums = new Map([...whole.gradients].map(([name, { length }]) => [name, new Float32Array(length)]));
      let loss = 0;
      for (const part of [0, 1]) {
        const cut = (name: string): Float32Array | Float64Array => {
          const all = values.get(name)!;
          return all.subarray((part * all.length) / 2, ((part + 1) * all.length) / 2);
        };
        fill(half, new Map([...values, ['x', cut('x')], ['y', cut('y')]]));
        loss += await half.run();
        for (const [name, sum] of sums) half.gradients.get(name)!.forEach((value, i) => (sum[i]! += value));
      }
      expect(loss).toBeCloseTo(whole.loss, 6);
      expectEqual(whole, { ...whole, gradients: sums });
      await Promise.all([whole.dispose(), half.dispose()]);
    });

    it('gives the same bytes for the same values, from run to run and from load to load', async () => {
      const values = randomTailValues(slim, 10);
      const step = await ran(trainer, slim, values);
      const bytes = (of: TrainingStep): Uint8Array[] =>
        [...of.gradients.values(), of.logits].map((array) => new Uint8Array(Float32Array.from(array).buffer));
      const first = bytes(step);
      expect(await step.run()).toBe(step.loss);
      expect(bytes(step)).toEqual(first);
      await step.dispose();
      const again = await ran(trainer, slim, values);
      expect(again.loss).toBe(step.loss);
      expect(bytes(again)).toEqual(first);
      await again.dispose();
    });

    it('keeps its arrays, all zeros at first, reads what is written into them and leaves inputs alone', async () => {
      const values = randomTailValues(slim, 11);
      const step = await trainer.loadStep(slim);
      const arrays = [step.x, step.y, step.logits, ...step.parameters.values(), ...step.gradients.values()];
      for (const array of arrays) expect(array.every((value) => value === 0)).toBe(true);
      expect([...step.parameters.keys()].slice(-2)).toEqual(['head/kernel', 'head/bias']);
      expect([...step.parameters.keys()][0]).toBe('block4_conv1/kernel');
      fill(step, values);
      const before = await step.run();
      for (const [name, array] of step.parameters) expect(array).toEqual(values.get(name));
      expect(step.x).toEqual(values.get('x'));
      for (const [name, array] of step.parameters) {
        const gradient = step.gradients.get(name)!;
        array.forEach((_, i) => (array[i]! -= 0.01 * gradient[i]!));
      }
      expect(await step.run()).toBeLessThan(before);
      await step.dispose();
    });

    it('answers as the step does, with the features that the dense layer reads before their norm', async () => {
      const program: TailProgram = {
        ...TAILS['odd sides, whose last row and column a pool drops']!,
        batch: 2,
        head: slim.head,
      };
      const values = randomTailValues(program, 12);
      const step = await ran(trainer, program, values);
      const answers = await trainer.loadAnswers(program);
      fill(answers, values);
      await answers.run();
      const { features } = naiveTail(program, values);
      expect(
        relativeError(
          answers.features,
          features.flatMap((row) => [...row]),
        ),
      ).toBeLessThan(TOLERANCE);
      expect(relativeError(answers.logits, step.logits)).toBeLessThan(TOLERANCE);
      await Promise.all([step.dispose(), answers.dispose()]);
    });

    it('refuses layers that do not fit, empty batches, one class and inputs that pooling uses up', async () => {
      const { layers, input, head } = slim;
      for (const [wrong, words] of [
        [{ ...slim, input: { ...input, channels: 8 } }, /block4_conv1 takes 16 channels.*gives 8/],
        [{ ...slim, batch: 0 }, /batch of at least one image, got 0/],
        [{ ...slim, batch: 1.5 }, /got 1\.5/],
        [{ ...slim, head: { ...head, classes: 1 } }, /at least two classes, got 1/],
        [{ ...slim, input: { ...input, height: 3 } }, /3 x 28 is too small/],
        [{ ...slim, layers: [...layers, conv('block5_conv3', 32, 32)] }, /block5_conv3 twice/],
      ] as const) {
        expect((await rejection(trainer.loadStep(wrong), 'OPTION_INVALID')).message).toMatch(words);
        await rejection(trainer.loadAnswers(wrong), 'OPTION_INVALID');
      }
    });

    it('finishes the run in flight before it disposes, then refuses to run; disposing twice is harmless', async () => {
      const step = await trainer.loadStep(slim);
      fill(step, randomTailValues(slim, 13));
      const running = step.run();
      await Promise.all([step.dispose(), step.dispose()]);
      expect(await running).toBeGreaterThan(0);
      await step.dispose();
      await rejection(step.run(), 'ENGINE_FAILED');
    });
  });
}
