import { encodeOnnx } from '../../core/onnx-model.ts';
import { createSession, onnxRuntime, type OnnxRuntime } from '../../core/onnxruntime.ts';
import { choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../core/options.ts';
import type { NamedShape, TailGraph } from '../graph/nhwc/tail-graph.ts';
import type { Trainer } from '../training.ts';
import { DEVICES, type Device } from './engine.ts';
import { guardedAnswers, guardedStep, newArrays, type LoadedGraph } from './guarded-tail.ts';
import { deviceUnavailable, onDevice, requireDevice } from './onnxruntime-device.ts';

export const ONNXRUNTIME_TRAINER_OPTIONS = {
  device: choiceOption(DEVICES, 'cpu', 'where the layers are trained'),
  precision: choiceOption(['fp32'], 'fp32', 'number format of training'),
  threads: integerOption(0, 'threads of a step; 0: one per physical core', { min: 0 }),
} as const;
/** Options of the trainer `onnxruntime`. @interface */
export type OnnxRuntimeTrainerOptions = OptionsOf<typeof ONNXRUNTIME_TRAINER_OPTIONS>;

interface SessionSettings {
  readonly device: Device;
  readonly threads: number;
}

async function load(runtime: OnnxRuntime, { device, threads }: SessionSettings, tail: TailGraph): Promise<LoadedGraph> {
  const session = await createSession(
    encodeOnnx(tail.graph),
    // With patterns the memory of a step is planned once more, beside that of the first run: 3.3 GB for all of VGG16 at
    // batch 4, not 1.8, and no faster.
    { ...onDevice(device), intraOpNumThreads: threads, enableMemPattern: false },
    { ownsCores: true },
  ).catch((error: unknown) => {
    throw device === 'cpu' ? error : deviceUnavailable(device, error);
  });
  const arrays = newArrays(tail);
  // Made once over the arrays: a run copies nothing, and what it gives lies where the last one's was.
  const tensors = (values: readonly NamedShape[]): Record<string, InstanceType<OnnxRuntime['Tensor']>> =>
    Object.fromEntries(
      values.map(({ name, shape }) => [name, new runtime.Tensor('float32', arrays.get(name)!, shape)]),
    );
  const feeds = tensors([...tail.data, ...tail.parameters]);
  const fetches = tensors(tail.outputs);
  return {
    arrays,
    async run() {
      await session.run(feeds, fetches);
    },
    release: () => session.release(),
  };
}

/**
 * Training on ONNX Runtime, which runs a step as a graph of inference, on one device as a whole or not at all. On the
 * CPU a run holds its JavaScript thread until it is done, so train in a worker thread: a step computes on all cores
 * there too. Throws OPTION_INVALID, PACKAGE_MISSING, or ENGINE_UNAVAILABLE where the device does not run here.
 */
export async function createOnnxRuntimeTrainer(given: Partial<OnnxRuntimeTrainerOptions> = {}): Promise<Trainer> {
  const options = resolveOptions('trainer onnxruntime', ONNXRUNTIME_TRAINER_OPTIONS, given);
  const { device, precision } = options;
  const runtime = await onnxRuntime();
  await requireDevice(runtime, device);
  const loadGraph = (tail: TailGraph): Promise<LoadedGraph> => load(runtime, options, tail);
  return {
    name: 'onnxruntime',
    device,
    precision,
    version: runtime.env.versions.node ?? runtime.env.versions.common,
    loadStep: (program) => guardedStep('ONNX Runtime', program, loadGraph),
    loadAnswers: (program) => guardedAnswers('ONNX Runtime', program, loadGraph),
  };
}
