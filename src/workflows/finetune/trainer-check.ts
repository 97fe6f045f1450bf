import { PermafrostError } from '../../core/errors.ts';
import { cosine } from '../../core/matrix.ts';
import { random } from '../../core/random.ts';
import { createTrainer } from '../../extract/engines/trainers.ts';
import type { TailArrays, TailProgram, Trainer } from '../../extract/training.ts';

/** The least cosine of a gradient to ONNX Runtime's: sums in another order differ in the sixth digit. */
const LEAST_COSINE = 0.999;

/** The gradients of one step on an image of noise, the same on every machine. */
async function gradientsOf(trainer: Trainer, program: TailProgram): Promise<TailArrays> {
  const step = await trainer.loadStep(program);
  try {
    const generator = random(1);
    const fill = (values: Float32Array, reach: number): void => {
      for (let i = 0; i < values.length; i++) values[i] = (2 * generator.uniform() - 1) * reach;
    };
    fill(step.x, 1);
    step.y[0] = 1;
    for (const [name, values] of step.parameters) {
      const layer = name.slice(0, name.lastIndexOf('/'));
      const filters = step.parameters.get(`${layer}/bias`)!.length;
      // He, Zhang, Ren and Sun, arXiv 1502.01852: what neither fades nor grows from layer to layer.
      fill(values, name.endsWith('/bias') ? 0.1 : Math.sqrt((6 * filters) / values.length));
    }
    await step.run();
    return new Map([...step.gradients].map(([name, values]) => [name, values.slice()]));
  } finally {
    await step.dispose();
  }
}

/**
 * Throws ENGINE_DISAGREES where a trainer computes other gradients of a tail than ONNX Runtime on the CPU does, in one
 * step on one image: a runtime may compute wrong numbers without an error (docs/engines.md). Of that trainer itself
 * nothing is checked.
 */
export async function requireGradients(trainer: Trainer, tail: TailProgram): Promise<void> {
  const { name, version, device, precision } = trainer;
  if (name === 'onnxruntime' && device === 'cpu') return;
  const program = { ...tail, batch: 1 };
  const expected = await gradientsOf(await createTrainer('onnxruntime'), program);
  const found = await gradientsOf(trainer, program);
  const cosines = [...expected].map(
    ([parameter, values]) => [parameter, cosine(found.get(parameter)!, values)] as const,
  );
  const wrong = cosines.find(([, value]) => !(value >= LEAST_COSINE));
  if (wrong === undefined) return;
  throw new PermafrostError(
    'ENGINE_DISAGREES',
    `The engine ${name} ${version} on ${device} in ${precision} computes other gradients than ONNX Runtime: on a generated image the cosine of that of ${wrong[0]} is ${wrong[1].toFixed(4)}, expected ${LEAST_COSINE} or more. Nothing was trained with it. Take --engine onnxruntime.`,
  );
}
