import { PermafrostError } from '../../../core/errors.ts';
import { sizeOf, tailShapes, type TailShapes } from '../../tail-shapes.ts';
import type { TailAnswers, TailArrays, TailProgram, Trainer, TrainingStep } from '../../training.ts';
import { guardedRuns } from '../guarded-tail.ts';
import { chooseRuntime, type TfjsOptions } from './choose-runtime.ts';
import { TFJS_PACKAGES, type TfjsPackage } from './packages.ts';
import type { TfjsRuntime } from './runtime.ts';
import { tailFeatures, tailLogits, tailLoss, type TailTensors } from './tail.ts';
import type { Tensor } from './tensors.ts';

/** The packages that have gradients of convolutions. */
const TRAINING_PACKAGES: readonly TfjsPackage[] = ['node-gpu', 'node'];

const zerosOf = (shapes: TailShapes): TailArrays =>
  new Map([...shapes].map(([name, shape]) => [name, new Float32Array(sizeOf(shape))]));

/** What both kinds of a loaded tail have: a shape a parameter, the caller's arrays, and runs that are guarded. */
function loadTail(runtime: TfjsRuntime, program: TailProgram) {
  const { tf } = runtime;
  const { input, batch } = program;
  const shapes = tailShapes(program);
  const x = new Float32Array(batch * input.height * input.width * input.channels);
  const parameters = zerosOf(shapes);

  async function once(work: () => readonly Tensor[], into: readonly Float32Array[]): Promise<void> {
    const results = runtime.run(work);
    try {
      for (const [i, result] of results.entries()) into[i]!.set(await result.data());
    } finally {
      for (const result of results) result.dispose();
    }
  }

  return {
    x,
    parameters,
    shapes,
    /** The arrays as they are now, in the runtime's memory: call it in the work of a run. */
    inputs: (): { readonly x: Tensor; readonly parameters: TailTensors } => ({
      x: tf.tensor(x, [batch, input.height, input.width, input.channels], 'float32'),
      parameters: new Map(
        [...parameters].map(([name, values]) => [name, tf.tensor(values, shapes.get(name)!, 'float32')]),
      ),
    }),
    /** Runs synchronous `work` each time, and writes the values of its tensors into the arrays. */
    runs: (work: () => readonly Tensor[], into: readonly Float32Array[]) =>
      guardedRuns(runtime.package.name, batch, { run: () => once(work, into), release: () => Promise.resolve() }),
  };
}

function trainingStep(runtime: TfjsRuntime, program: TailProgram): TrainingStep {
  const { tf } = runtime;
  const { batch, head } = program;
  const tail = loadTail(runtime, program);
  const y = new Float32Array(batch * head.classes);
  const gradients = zerosOf(tail.shapes);
  const logits = new Float32Array(batch * head.classes);
  const loss = new Float32Array(1);

  function work(): readonly Tensor[] {
    const { x, parameters } = tail.inputs();
    const targets = tf.tensor(y, [batch, head.classes], 'float32');
    const names = [...parameters.keys()];
    let answered: Tensor | undefined;
    try {
      const { value, grads } = tf.valueAndGrads((...trained) => {
        const named = new Map(names.map((name, i) => [name, trained[i]!]));
        // Kept: what is made in here is disposed when it ends, but for the value.
        answered = tf.keep(tailLogits(tf, program, tailFeatures(tf, program, x, named), named));
        return tailLoss(tf, answered, targets);
      })([...parameters.values()]);
      return [value, answered!, ...grads];
    } catch (error) {
      answered?.dispose();
      throw error;
    }
  }

  const { run, dispose } = tail.runs(work, [loss, logits, ...gradients.values()]);
  return {
    x: tail.x,
    y,
    parameters: tail.parameters,
    gradients,
    logits,
    async run() {
      await run();
      return loss[0]!;
    },
    dispose,
  };
}

function tailAnswers(runtime: TfjsRuntime, program: TailProgram): TailAnswers {
  const { tf } = runtime;
  const { batch, head } = program;
  const tail = loadTail(runtime, program);
  const [width] = tail.shapes.get('head/kernel')!;
  const features = new Float32Array(batch * width!);
  const logits = new Float32Array(batch * head.classes);

  function work(): readonly Tensor[] {
    const { x, parameters } = tail.inputs();
    const rows = tailFeatures(tf, program, x, parameters);
    return [rows, tailLogits(tf, program, rows, parameters)];
  }

  return {
    x: tail.x,
    parameters: tail.parameters,
    features,
    logits,
    ...tail.runs(work, [features, logits]),
  };
}

/**
 * Training by the gradients of TensorFlow.js itself, on a GPU where TensorFlow uses one. WebAssembly is refused: it has
 * no gradients of convolutions. A step holds JavaScript while it computes. Throws OPTION_INVALID, PACKAGE_MISSING where
 * no package that trains is installed or loads, ENGINE_UNAVAILABLE where the chosen device is not there.
 */
export async function createTfjsTrainer(options: Partial<TfjsOptions> = {}): Promise<Trainer> {
  if (options.package === 'wasm') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${TFJS_PACKAGES.wasm} cannot train: it has no gradients of convolutions. Choose package ${TRAINING_PACKAGES.join(' or ')}, or train with the engine onnxruntime.`,
    );
  }
  const { runtime, precision, notes } = await chooseRuntime(options, TRAINING_PACKAGES);
  // What a program is refused for rejects the promise.
  return {
    name: 'tfjs',
    device: runtime.device,
    precision,
    version: runtime.version,
    notes,
    loadStep: (program) => new Promise((resolve) => resolve(trainingStep(runtime, program))),
    loadAnswers: (program) => new Promise((resolve) => resolve(tailAnswers(runtime, program))),
  };
}
