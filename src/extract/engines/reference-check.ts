import { cosine, row } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import { isLayerBackbone } from '../backbones/backbone.ts';
import { isQuantized } from '../onnx/int8/quantization-plan.ts';
import type { Program } from '../program.ts';
import type { Engine, Executable, Precision } from './engine.ts';
import { createReferenceEngine } from './onnxruntime.ts';
import { programInPrecision } from './program-in-precision.ts';

/**
 * The least cosine of an output to the reference's on the generated picture that an engine may have, by precision:
 * between what kernels of one precision differ by and what a fault does (docs/engines.md has the measurements).
 */
const LEAST_COSINES: Readonly<Record<Precision, number>> = { fp32: 0.9999, bf16: 0.995, int8: 0.98 };
/** Lists of layers (VGG16, VGG19) keep more in bf16: their sums are of positive numbers. */
const LEAST_COSINE_OF_LAYERS_IN_BF16 = 0.9998;

/** What an engine must keep of the reference's features of a program, as a cosine on the generated picture. */
export function leastCosine({ precision }: Pick<Engine, 'precision'>, { backbone }: Pick<Program, 'backbone'>): number {
  if (isLayerBackbone(backbone))
    return precision === 'bf16' ? LEAST_COSINE_OF_LAYERS_IN_BF16 : LEAST_COSINES[precision];
  // A file that is quantized computes on integers, whatever is around them.
  return LEAST_COSINES[isQuantized(backbone.file) ? 'int8' : precision];
}

/** Waves, patches and a little noise: uint8 RGB, shape (size, size, 3), the same on every machine. */
export function generatedPicture(size: number): Uint8Array {
  const generator = random(1);
  const pixels = new Uint8Array(size * size * 3);
  const waves = Array.from({ length: 9 }, () => ({
    across: (generator.uniform() * 12 - 6) / size,
    down: (generator.uniform() * 12 - 6) / size,
    phase: generator.uniform(),
  }));
  const patches = Array.from({ length: 12 }, () => ({
    left: generator.uniform() * size,
    top: generator.uniform() * size,
    side: (0.05 + 0.25 * generator.uniform()) * size,
    colour: [generator.below(256), generator.below(256), generator.below(256)],
  }));
  for (let i = 0; i < pixels.length; i++) {
    const [x, y, c] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size), i % 3];
    const patch = patches.find(({ left, top, side }) => x >= left && x < left + side && y >= top && y < top + side);
    const wave = waves
      .slice(3 * c, 3 * c + 3)
      .reduce((sum, { across, down, phase }) => sum + Math.sin(2 * Math.PI * (across * x + down * y + phase)), 0);
    const value = patch?.colour[c] ?? 128 + 40 * wave;
    pixels[i] = Math.max(0, Math.min(255, Math.round(value + generator.below(17) - 8)));
  }
  return pixels;
}

/** An engine's executable beside the cosines of its outputs to the reference's, in the order of the program. */
export interface ComparedExecutable {
  readonly executable: Executable;
  readonly cosines: readonly number[];
}

/**
 * Loads a program and compares it on the generated picture with ONNX Runtime in float32 on the CPU. The reference is
 * gone before the engine loads, so that their memory does not add up. An output that is not finite has a cosine of 0.
 * Throws what the engines throw.
 */
export async function loadCompared(
  engine: Engine,
  given: Program,
  threads = 0,
  note?: (message: string) => void,
): Promise<ComparedExecutable> {
  const program = programInPrecision(given, engine.precision);
  const pixels = generatedPicture(program.contract.size);
  const reference = await (await createReferenceEngine(program, threads)).load(program);
  const expected = await reference.run(pixels, 1).finally(() => reference.dispose());
  const executable = await engine.load(program, note);
  try {
    const found = await executable.run(pixels, 1);
    const cosines = found.map((features, i) => cosine(row(features, 0), row(expected[i]!, 0)));
    return { executable, cosines: cosines.map((value) => (Number.isFinite(value) ? value : 0)) };
  } catch (error) {
    await executable.dispose();
    throw error;
  }
}
