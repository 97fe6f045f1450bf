import { createSession, onnxRuntime } from '../../core/onnxruntime.ts';
import type { Source } from '../../extract/image/geometry.ts';
import { IMAGE } from './exported-model.ts';

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

/** An exported file on ONNX Runtime. Throws ENGINE_FAILED. */
export async function onOnnxRuntime(bytes: Uint8Array, threads: number): Promise<FileRuntime> {
  const { Tensor, env } = await onnxRuntime();
  const session = await createSession(bytes, { intraOpNumThreads: threads });
  const hasUnknown = session.outputNames.includes('unknown');
  return {
    name: `onnxruntime ${env.versions.node ?? env.versions.common}`,
    async run({ data, width, height }) {
      const image = new Tensor('uint8', data, [1, height, width, 3]);
      const found = await session.run({ [IMAGE]: image }, ['probabilities', ...(hasUnknown ? ['unknown'] : [])]);
      return {
        probabilities: found.probabilities!.data as Float32Array,
        unknown: hasUnknown ? (found.unknown!.data as Uint8Array)[0] === 1 : null,
      };
    },
    dispose: () => session.release(),
  };
}
