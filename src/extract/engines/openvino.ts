import { PermafrostError } from '../../core/errors.ts';
import { matrix } from '../../core/matrix.ts';
import { threadsFor } from '../../core/machine/available-cores.ts';
import { booleanOption, choiceOption, integerOption, resolveOptions, type OptionsOf } from '../../core/options.ts';
import { programGraph } from '../graph/program-graph.ts';
import { graphModel } from '../onnx/graph-model.ts';
import { PRECISIONS, THREADS_OPTION, type Engine, type Executable, type Precision } from './engine.ts';
import { guardedExecutable } from './guarded-executable.ts';
import type { Handle } from './openvino/c-api.ts';
import {
  compile,
  compileCached,
  modelOfBytes,
  modelOfGraph,
  oneImageGraph,
  type CompilableModel,
  type DeviceProperties,
} from './openvino/compile-program.ts';
import { compiledCache, compiledFolder } from './openvino/compiled-cache.ts';
import { requireOpenVino } from './openvino/require-openvino.ts';
import { requestQueue, type RequestQueue } from './openvino/request-queue.ts';
import type { OpenVino } from './openvino/runtime.ts';
import { versionOfBuild } from './openvino/versions.ts';
import { programInPrecision } from './program-in-precision.ts';
import { isLayerProgram, outputName, type Program } from '../program.ts';

export const OPENVINO_OPTIONS = {
  device: choiceOption(['cpu'], 'cpu', 'where the network runs'),
  precision: choiceOption(PRECISIONS, 'fp32', 'number format of the network'),
  threads: THREADS_OPTION,
  /** Of Winograd's convolutions in fp32, as engine onnxruntime-winograd has it. */
  leastFilters: integerOption(128, 'fp32: convolutions before the first one of so many filters run directly', {
    min: 1,
  }),
  cache: booleanOption(true, "keep compiled networks in the user's cache folder"),
} as const;
/** Options of the engine `openvino`. @interface */
export type OpenVinoOptions = OptionsOf<typeof OPENVINO_OPTIONS>;

/** Images that OpenVINO plans to have in flight: the default batch. It decides how many streams share the cores. */
const IN_FLIGHT = 8;

/** A QDQ graph says itself what runs in int8; what is around it stays float32. */
const HINTS = { fp32: 'f32', bf16: 'bf16', int8: 'f32' } as const satisfies Record<Precision, string>;

function deviceProperties({ precision, threads: asked }: OpenVinoOptions): DeviceProperties {
  const threads = threadsFor(asked);
  return {
    INFERENCE_PRECISION_HINT: HINTS[precision],
    PERFORMANCE_HINT: 'THROUGHPUT',
    PERFORMANCE_HINT_NUM_REQUESTS: String(IN_FLIGHT),
    ...(threads > 0 && { INFERENCE_NUM_THREADS: String(threads) }),
    // Pinned, the threads of two processes that have one each would share the first core.
    ENABLE_CPU_PINNING: 'NO',
  };
}

/** Without AVX-512 OpenVINO takes the hint bf16 and computes in float32: refused, as it goes under a wrong name. */
function requireHint(openVino: OpenVino, compiled: Handle, expected: string): void {
  const found = openVino.compiledProperty(compiled, 'INFERENCE_PRECISION_HINT');
  if (found === expected) return;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `OpenVINO compiled the network in ${found} where ${expected} was asked for: this processor cannot. Take --precision fp32.`,
  );
}

function executable(queue: RequestQueue, { contract }: Program, release: () => void): Executable {
  const imageBytes = contract.size * contract.size * 3;
  return guardedExecutable({
    runtime: 'OpenVINO',
    size: contract.size,
    async infer(pixels, count) {
      const features = queue.widths.map((width) => matrix(count, width));
      const images = Array.from({ length: count }, (_, i) =>
        queue.infer(pixels.subarray(i * imageBytes, (i + 1) * imageBytes), (outputs) => {
          outputs.forEach((values, o) => features[o]!.data.set(values, i * values.length));
        }),
      );
      // All of them settle before one failure is told: the pixels are the caller's again then.
      const failed = (await Promise.allSettled(images)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      return features;
    },
    release: () => Promise.resolve(release()),
  });
}

/**
 * A program as it is compiled, for one image. Of lists of layers in float32 by Winograd's sums, which cost half the
 * time of direct ones (docs/engines.md); in bf16 they would be 18 % off. The tiles of VGG16's widest layer take 14 MiB.
 */
function compilable(given: Program, { precision, leastFilters }: OpenVinoOptions): CompilableModel {
  const program = programInPrecision(given, precision);
  if (!isLayerProgram(program)) return modelOfBytes(graphModel(program, { batch: 1 }));
  const winograd = { leastFilters, batch: 1, tileBytes: 32 * 2 ** 20 };
  return modelOfGraph(oneImageGraph(programGraph(program, precision === 'fp32' ? { winograd } : {})));
}

async function load(
  openVino: OpenVino,
  options: OpenVinoOptions,
  program: Program,
  note?: (message: string) => void,
): Promise<Executable> {
  const model = compilable(program, options);
  const properties = deviceProperties(options);
  const core = openVino.createCore();
  let compiled: Handle | undefined;
  let queue: RequestQueue | undefined;
  const release = (): void => {
    queue?.free();
    if (compiled !== undefined) openVino.freeCompiled(compiled);
    openVino.freeCore(core);
  };
  try {
    for (const [key, value] of Object.entries(properties)) openVino.setProperty(core, key, value);
    compiled = options.cache
      ? await compileCached(openVino, core, model, properties, compiledCache(compiledFolder(), note))
      : await compile(openVino, core, model);
    requireHint(openVino, compiled, HINTS[options.precision]);
    const streams = Number(openVino.compiledProperty(compiled, 'NUM_STREAMS'));
    const { size } = program.contract;
    const layout = { imageBytes: size * size * 3, outputs: program.outputs.map(outputName) };
    // As many again wait in OpenVINO's own queue, so that no stream waits for JavaScript.
    queue = requestQueue(openVino, compiled, layout, 2 * streams);
    return executable(queue, program, release);
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * OpenVINO on the CPU, called through its C API: requests of one image each run on its threads, several at a time.
 * Throws OPTION_INVALID, PACKAGE_MISSING, or ENGINE_UNAVAILABLE where OpenVINO is not found or does not load.
 */
export async function createOpenVinoEngine(given: Partial<OpenVinoOptions> = {}): Promise<Engine> {
  const options = resolveOptions('engine openvino', OPENVINO_OPTIONS, given);
  const openVino = await requireOpenVino();
  return {
    name: 'openvino',
    device: options.device,
    precision: options.precision,
    version: versionOfBuild(openVino.build),
    load: (program, note) => load(openVino, options, program, note),
  };
}
