import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { outputShape } from '../../../src/extract/backbones/cut-layers.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import type { TailProgram, Trainer, TrainingStep } from '../../../src/extract/training.ts';
import { loadWeights, type LoadedWeights } from '../../../src/extract/weights/load-weights.ts';
import { kerasCaffe } from '../../support/contracts.ts';
import { goldenTensors, relativeError } from '../../support/golden.ts';
import { hasShared, needsShared } from '../../support/shared.ts';

/** test/golden/make_finetune.py writes it. */
interface GoldenGradients {
  readonly cases: readonly GoldenCase[];
}
interface GoldenCase {
  readonly from: string;
  /** Of the squares, in pixels. */
  readonly side: number;
  readonly squares: readonly (readonly [photograph: number, top: number, left: number])[];
  readonly classes: readonly number[];
  readonly pooling: 'avg' | 'flatten';
  readonly norm: 'l2' | 'none';
  readonly scale: number;
  readonly loss: number;
  readonly logits: readonly number[];
  readonly gradients: Readonly<Record<string, GoldenGradient>>;
}
interface GoldenGradient {
  readonly length: number;
  readonly entries: readonly number[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../golden/finetune.json', import.meta.url), 'utf8'),
) as GoldenGradients;

/** Side of the prepared photographs that the squares are cut from. */
const WHOLE = 224;

/** RGB pixels of the squares, one behind the other. */
function pixelsOf({ side, squares }: GoldenCase): Uint8Array {
  const photographs = goldenTensors('pixels.safetensors').get('nearest')!.data as Uint8Array;
  const bytes = new Uint8Array(squares.length * side * side * 3);
  squares.forEach(([photograph, top, left], i) => {
    for (let y = 0; y < side; y++) {
      const from = ((photograph * WHOLE + top + y) * WHOLE + left) * 3;
      bytes.set(photographs.subarray(from, from + side * 3), (i * side + y) * side * 3);
    }
  });
  return bytes;
}

/** What the first trained layer reads: activations by the frozen layers in float32, or BGR pixels less the mean. */
async function inputsOf(expected: GoldenCase, weights: LoadedWeights): Promise<Float32Array> {
  const pixels = pixelsOf(expected);
  const before = vgg16.layers[vgg16.layers.findIndex(({ name }) => name === expected.from) - 1];
  if (before === undefined) {
    return Float32Array.from(pixels, (_, i) => pixels[i - (i % 3) + 2 - (i % 3)]! - kerasCaffe.mean[i % 3]!);
  }
  const loaded = await (
    await createEngine('onnxruntime')
  ).load({
    backbone: vgg16,
    weights,
    contract: { ...kerasCaffe, size: expected.side },
    outputs: [{ cut: before.name, pooling: 'flatten' }],
  });
  const [features] = await loaded.run(pixels, expected.squares.length);
  await loaded.dispose();
  return features!.data;
}

function programOf({ from, side, squares, pooling, norm }: GoldenCase): TailProgram {
  const at = vgg16.layers.findIndex(({ name }) => name === from);
  return {
    layers: vgg16.layers.slice(at),
    input: at === 0 ? { height: side, width: side, channels: 3 } : outputShape(vgg16, vgg16.layers[at - 1]!.name, side),
    batch: squares.length,
    head: { pooling, norm, classes: 2 },
  };
}

/** The dense layer's kernel: the formula of make_finetune.py. */
const denseKernel = (length: number, scale: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (((i * 7919) % 1009) / 1009 - 0.5) * scale);

/** Indices of the entries that the golden file keeps: the formula of make_finetune.py. */
const entriesOf = (length: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, k) => (length > count ? (k * 7919 + 13) % length : k));

/** A loaded step of a case, filled. */
async function loadedCase(expected: GoldenCase, trainer: Trainer, weights: LoadedWeights): Promise<TrainingStep> {
  const step = await trainer.loadStep(programOf(expected));
  step.x.set(await inputsOf(expected, weights));
  const { classes } = expected;
  classes.forEach((label, i) => (step.y[2 * i + label] = 1 / classes.length));
  for (const [name, array] of step.parameters) {
    if (name === 'head/kernel') array.set(denseKernel(array.length, expected.scale));
    else if (name === 'head/bias') array.set([0.1, -0.1]);
    else array.set(weights.tensors.get(name)!.data);
  }
  return step;
}

const lengthOf = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** Length of the difference over the length of what is expected, or over `least` where that is more. */
function distance(found: readonly number[], expected: readonly number[], least = 0): number {
  return lengthOf(found.map((value, i) => value - expected[i]!)) / Math.max(lengthOf(expected), least);
}

/** Compares a trainer's gradients for real photographs and weights with those of TensorFlow. */
export function itHasTheGradientsOfTensorFlow(makeTrainer: () => Promise<Trainer>, tolerance: number): void {
  describe.skipIf(!hasShared('golden'))(needsShared('golden', 'against golden gradients of TensorFlow'), () => {
    let weights: LoadedWeights;
    beforeAll(async () => {
      weights = await loadWeights({ backbone: vgg16 });
    });

    it.each(golden.cases)('trains VGG16 from $from, $pooling and norm $norm', async (expected) => {
      const step = await loadedCase(expected, await makeTrainer(), weights);
      expect(Math.abs((await step.run()) - expected.loss)).toBeLessThan(tolerance);
      expect(relativeError(step.logits, expected.logits)).toBeLessThan(tolerance);
      expect([...step.gradients.keys()]).toEqual(Object.keys(expected.gradients));
      const errors = [...step.gradients].map(([name, gradient]) => {
        const { length, entries } = expected.gradients[name]!;
        // The terms of the dense layer's bias, an image each, nearly cancel in some cases.
        const terms = name === 'head/bias' ? 1 / expected.classes.length : 0;
        const found = entriesOf(gradient.length, entries.length).map((at) => gradient[at]!);
        const lengthFound = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
        return {
          name,
          entries: distance(found, entries, terms),
          length: Math.abs(lengthFound - length) / Math.max(length, terms),
        };
      });
      expect(errors.filter((error) => !(error.entries < tolerance && error.length < tolerance))).toEqual([]);
      await step.dispose();
    });

    it('sees a layer whose weights are off by a thousandth', async () => {
      // A norm would take most of such a change away again.
      const first = golden.cases.find(({ norm }) => norm === 'none');
      const step = await loadedCase(first!, await makeTrainer(), weights);
      step.parameters.get('block5_conv2/kernel')!.forEach((value, i, array) => (array[i] = value * 1.001));
      await step.run();
      const gradient = step.gradients.get('block5_conv1/kernel')!;
      const { entries } = first!.gradients['block5_conv1/kernel']!;
      const found = entriesOf(gradient.length, entries.length).map((at) => gradient[at]!);
      expect(distance(found, entries)).toBeGreaterThan(5 * tolerance);
      await step.dispose();
    });
  });
}
