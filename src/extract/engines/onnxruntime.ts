import { PermafrostError } from '../../core/errors.ts';
import { matrix, stacked, type Matrix } from '../../core/matrix.ts';
import {
  createSession,
  onnxRuntime,
  type OnnxRuntime,
  type OnnxSession,
  type OnnxSessionOptions,
} from '../../core/onnxruntime.ts';
import { choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../core/options.ts';
import { outputName, PIXELS, requireLayerProgram, type ProgramGraphOptions } from '../graph/program-graph.ts';
import { programModel } from './program-model.ts';
import { DEVICES, THREADS_OPTION, type Device, type Engine, type Executable, type Precision } from './engine.ts';
import { deviceUnavailable, onDevice, requireDevice } from './onnxruntime-device.ts';
import { guardedExecutable } from './guarded-executable.ts';
import { networkThreads } from './network-threads.ts';
import { programInPrecision } from './program-in-precision.ts';
import { isLayerProgram, type Program } from '../program.ts';

export const ONNXRUNTIME_OPTIONS = {
  device: choiceOption(DEVICES, 'cpu', 'where the network runs'),
  precision: choiceOption(['fp32', 'int8'], 'fp32', 'number format of the network'),
  threads: THREADS_OPTION,
} as const;
/** Options of the engine `onnxruntime`. @interface */
export type OnnxRuntimeOptions = OptionsOf<typeof ONNXRUNTIME_OPTIONS>;

function executable(runtime: OnnxRuntime, session: OnnxSession, program: Program, imagesAtOnce: number): Executable {
  const { size } = program.contract;
  const names = program.outputs.map(outputName);
  const imageBytes = size * size * 3;

  async function inferSome(pixels: Uint8Array, count: number): Promise<readonly Matrix[]> {
    const input = new runtime.Tensor('uint8', pixels, [count, size, size, 3]);
    const results = await session.run({ [PIXELS]: input }, names);
    return names.map((name) => {
      const { data, dims } = results[name]!;
      return matrix(count, dims[1]!, data as Float32Array<ArrayBuffer>);
    });
  }

  return guardedExecutable({
    runtime: 'ONNX Runtime',
    size,
    async infer(pixels, count) {
      const parts: (readonly Matrix[])[] = [];
      for (let from = 0; from < count; from += imagesAtOnce) {
        const some = Math.min(imagesAtOnce, count - from);
        parts.push(await inferSome(pixels.subarray(from * imageBytes, (from + some) * imageBytes), some));
      }
      return parts.length === 1 ? parts[0]! : names.map((_, output) => stacked(parts.map((part) => part[output]!)));
    },
    release: () => session.release(),
  });
}

interface SessionPlan {
  readonly name: string;
  readonly device: Device;
  readonly precision: Precision;
  readonly threads: number;
  readonly graph?: ProgramGraphOptions;
  /** Images that the session is given in one call; default: the whole batch. */
  readonly imagesAtOnce?: number;
  /** Settings of the session beside those of its device. */
  readonly session?: OnnxSessionOptions;
  /** Whether graphs run on threads of their own (network-threads.ts). */
  readonly onThreads?: boolean;
}

async function engineOf(plan: SessionPlan): Promise<Engine> {
  const { name, device, precision, threads, graph, imagesAtOnce = Infinity } = plan;
  const runtime = await onnxRuntime();
  await requireDevice(runtime, device);
  return {
    name,
    device,
    precision,
    version: runtime.env.versions.node ?? runtime.env.versions.common,
    async load(program) {
      if (graph !== undefined) requireLayerProgram(program, name);
      const model = programModel(programInPrecision(program, precision), graph);
      if (plan.onThreads && !isLayerProgram(program)) {
        const names = program.outputs.map(outputName);
        return guardedExecutable(await networkThreads({ model, size: program.contract.size, names, threads }));
      }
      const session = await createSession(model, {
        ...onDevice(device),
        ...plan.session,
        intraOpNumThreads: threads,
        // Patterns are planned anew for each batch size: 190 MB more for VGG16 at batch 8, no faster.
        enableMemPattern: false,
      }).catch((error: unknown) => {
        throw device === 'cpu' ? error : deviceUnavailable(device, error);
      });
      const baked = isLayerProgram(program) ? undefined : program.backbone.input.batch;
      return executable(runtime, session, program, baked ?? imagesAtOnce);
    },
  };
}

/**
 * ONNX Runtime on one device, whole networks or not at all. On the CPU a run of a list of layers occupies the
 * JavaScript thread until it is done (onnxruntime-node infers synchronously); graphs run on threads of their own.
 * Throws OPTION_INVALID, PACKAGE_MISSING, or ENGINE_UNAVAILABLE where the device does not run here; load throws the
 * latter where it lacks an operator.
 */
export async function createOnnxRuntimeEngine(given: Partial<OnnxRuntimeOptions> = {}): Promise<Engine> {
  const options = resolveOptions('engine onnxruntime', ONNXRUNTIME_OPTIONS, given);
  const { device, precision } = options;
  if (precision === 'int8' && device !== 'cpu') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `engine onnxruntime: int8 runs on the device cpu, not on ${device}, which has no integer kernels for it. Take --precision fp32.`,
    );
  }
  if (options.threads > 0 && device !== 'cpu') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `engine onnxruntime: threads are those of the device cpu, and ${options.threads} were asked for on ${device}. Leave threads out, or take --device cpu.`,
    );
  }
  return engineOf({ name: 'onnxruntime', ...options, onThreads: device === 'cpu' });
}

/**
 * What other engines are checked against: float32 on the CPU. A quantized program runs as its graph is written, each
 * operator in float32 between steps of 8 bits, where the engine `onnxruntime` in int8 computes on integers. @internal
 */
export function createReferenceEngine(
  { quantization }: Pick<Program, 'quantization'>,
  threads: number,
): Promise<Engine> {
  const plan = { name: 'onnxruntime', device: 'cpu', threads } as const;
  // Without an arena its memory goes back to the system before another engine loads.
  const session = { enableCpuMemArena: false } as const;
  return quantization === undefined
    ? engineOf({ ...plan, precision: 'fp32', session })
    : engineOf({ ...plan, precision: 'int8', session: { ...session, graphOptimizationLevel: 'disabled' } });
}

/**
 * Folding would hold the transformed kernels, four times their size: 200 MiB more at the peak. Transformed anew for
 * each call they cost 2 to 3 ms an image at eight images a call (docs/engines.md).
 * `optimization.disable_specified_optimizers` is of onnxruntime_session_options_config_keys.h.
 */
const WITHOUT_FOLDING: OnnxSessionOptions = {
  extra: { optimization: { disable_specified_optimizers: 'ConstantFolding' } },
};

export const WINOGRAD_OPTIONS = {
  device: choiceOption(['cpu'], 'cpu', 'where the network runs'),
  precision: choiceOption(['fp32'], 'fp32', 'number format of the network'),
  threads: ONNXRUNTIME_OPTIONS.threads,
  /** Below this the transforms cost what the products save: VGG16's first block is no faster with them. */
  leastFilters: integerOption(128, 'convolutions before the first one of so many filters run directly', { min: 1 }),
  imagesAtOnce: integerOption(8, 'images of a batch that are inferred in one call', { min: 1 }),
  tileMiB: integerOption(32, 'MiB that the transformed tiles of a layer may take at a time', { min: 1 }),
} as const;
/** Options of the engine `onnxruntime-winograd`. @interface */
export type WinogradOptions = OptionsOf<typeof WINOGRAD_OPTIONS>;

/**
 * ONNX Runtime on the CPU in float32, wide convolutions by Winograd's minimal filtering (graph/nhwc). Its features
 * differ from those of `onnxruntime` in the sixth digit. Throws OPTION_INVALID or PACKAGE_MISSING.
 */
export async function createWinogradEngine(given: Partial<WinogradOptions> = {}): Promise<Engine> {
  const options = resolveOptions('engine onnxruntime-winograd', WINOGRAD_OPTIONS, given);
  const { leastFilters, imagesAtOnce, tileMiB } = options;
  const graph = { winograd: { leastFilters, batch: imagesAtOnce, tileBytes: tileMiB * 2 ** 20 } };
  return engineOf({ name: 'onnxruntime-winograd', ...options, graph, session: WITHOUT_FOLDING });
}
