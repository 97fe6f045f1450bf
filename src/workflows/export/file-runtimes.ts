import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { createSession, onnxRuntime } from '../../core/onnxruntime.ts';
import { openModel } from '../../extract/engines/openvino/open-model.ts';
import type { Source } from '../../extract/image/geometry.ts';
import { IMAGE } from './exported-model.ts';
import type { ExportOnnxOptions } from './options.ts';

/** What a file answers for an image. */
export interface FileAnswer {
  /** Shape (classes). */
  readonly probabilities: Float32Array;
  /** Null for heads without a rule for that. */
  readonly unknown: boolean | null;
}

/** A runtime that has loaded an exported file. */
export interface FileRuntime {
  /** Its name and version. */
  readonly name: string;
  run(image: Source): Promise<FileAnswer>;
  dispose(): Promise<void>;
}

/** A file that is loaded: its bytes, the names of its outputs, and threads to compute with. */
export interface LoadedFile {
  readonly bytes: Uint8Array;
  readonly outputs: readonly string[];
  readonly threads: number;
}

const wanted = ({ outputs }: LoadedFile): string[] =>
  ['probabilities', 'unknown'].filter((name) => outputs.includes(name));

async function onOnnxRuntime(file: LoadedFile): Promise<FileRuntime> {
  const { Tensor, env } = await onnxRuntime();
  const session = await createSession(file.bytes, { intraOpNumThreads: file.threads });
  const names = wanted(file);
  return {
    name: `onnxruntime ${env.versions.node ?? env.versions.common}`,
    async run({ data, width, height }) {
      const image = new Tensor('uint8', data, [1, height, width, 3]);
      const found = await session.run({ [IMAGE]: image }, names);
      return {
        probabilities: found.probabilities!.data as Float32Array,
        unknown: found.unknown === undefined ? null : (found.unknown.data as Uint8Array)[0] === 1,
      };
    },
    dispose: () => session.release(),
  };
}

async function onOpenVino(file: LoadedFile): Promise<FileRuntime> {
  const model = await openModel(file.bytes, file.threads);
  const names = wanted(file);
  return {
    name: `openvino ${model.version}`,
    async run({ data, width, height }) {
      const [probabilities, unknown] = await model.run(data, [1, height, width, 3], names);
      return {
        probabilities: new Float32Array(probabilities!),
        unknown: unknown === undefined ? null : new Uint8Array(unknown)[0] === 1,
      };
    },
    dispose: () => Promise.resolve(model.dispose()),
  };
}

const isAbsent = (error: unknown): boolean =>
  error instanceof PermafrostError && ['PACKAGE_MISSING', 'ENGINE_UNAVAILABLE'].includes(error.code);

/**
 * Loads a file in the runtimes that it is checked in. Throws ENGINE_FAILED where one refuses it; PACKAGE_MISSING and
 * ENGINE_UNAVAILABLE where OpenVINO is asked for and is not there.
 */
export async function fileRuntimes(
  file: LoadedFile,
  runtime: ExportOnnxOptions['runtime'],
  listener: Listener = {},
): Promise<FileRuntime[]> {
  const first = await onOnnxRuntime(file);
  if (runtime === 'onnxruntime') return [first];
  try {
    return [first, await onOpenVino(file)];
  } catch (error) {
    if (runtime === 'auto' && isAbsent(error)) {
      listener.note?.('OpenVINO is not installed here: the file is checked in ONNX Runtime alone.');
      return [first];
    }
    await first.dispose();
    throw error;
  }
}
