import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { createSession, onnxRuntime, type OnnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import {
  choiceOption,
  defaultsOf,
  integerOption,
  resolveOptions,
  type OptionsOf,
} from '../../core/options.ts';
import { outputName, PIXELS, programModel } from '../graph/program-graph.ts';
import type { Engine, Executable, Program } from './engine.ts';

export const ONNXRUNTIME_OPTIONS = {
  device: choiceOption(['cpu'], 'cpu', 'where the network runs'),
  precision: choiceOption(['fp32'], 'fp32', 'number format of the network'),
  threads: integerOption(0, 'threads of one inference; 0: one per core', { min: 0 }),
} as const;
export const ONNXRUNTIME_DEFAULTS = defaultsOf(ONNXRUNTIME_OPTIONS);
export type OnnxRuntimeOptions = OptionsOf<typeof ONNXRUNTIME_OPTIONS>;

function executable(runtime: OnnxRuntime, session: OnnxSession, program: Program): Executable {
  const { size } = program.contract;
  const names = program.outputs.map(outputName);
  const inFlight = new Set<Promise<unknown>>();
  let released: Promise<void> | undefined;

  async function infer(pixels: Uint8Array, count: number): Promise<readonly Matrix[]> {
    const input = new runtime.Tensor('uint8', pixels.subarray(0, count * size * size * 3), [
      count,
      size,
      size,
      3,
    ]);
    try {
      const results = await session.run({ [PIXELS]: input }, names);
      return names.map((name) => {
        const { data, dims } = results[name]!;
        return matrix(count, dims[1]!, data as Float32Array<ArrayBuffer>);
      });
    } catch (cause) {
      throw new PermafrostError(
        'ENGINE_FAILED',
        `ONNX Runtime failed on ${count} images: ${reasonOf(cause)}. Where memory ran out, take a smaller batch size.`,
        { cause },
      );
    }
  }

  return {
    async run(pixels, count) {
      const needed = count * size * size * 3;
      if (released !== undefined || !Number.isInteger(count) || count < 1 || pixels.length < needed) {
        throw new PermafrostError(
          'ENGINE_FAILED',
          released !== undefined
            ? 'This executable is disposed. Load the program again.'
            : `Got ${pixels.length} bytes of pixels for ${count} images, expected at least one image and ${needed} bytes (${size} x ${size} x 3 each).`,
        );
      }
      const running = infer(pixels, count);
      inFlight.add(running);
      try {
        return await running;
      } finally {
        inFlight.delete(running);
      }
    },
    dispose() {
      released ??= Promise.allSettled(inFlight).then(() => session.release());
      return released;
    },
  };
}

/**
 * ONNX Runtime on the CPU. A run occupies the JavaScript thread until it is done (onnxruntime-node infers synchronously), though work
 * handed to libuv's pool before goes on. Throws OPTION_INVALID or PACKAGE_MISSING.
 */
export async function createOnnxRuntimeEngine(options: Partial<OnnxRuntimeOptions> = {}): Promise<Engine> {
  const { device, precision, threads } = resolveOptions('engine onnxruntime', ONNXRUNTIME_OPTIONS, options);
  const runtime = await onnxRuntime();
  return {
    name: 'onnxruntime',
    device,
    precision,
    version: runtime.env.versions.node ?? runtime.env.versions.common,
    async load(program) {
      const session = await createSession(programModel(program), {
        executionProviders: [device],
        intraOpNumThreads: threads,
      });
      return executable(runtime, session, program);
    },
  };
}
