import type * as ort from 'onnxruntime-node';
import { PermafrostError, reasonOf } from './errors.ts';

export type OnnxRuntime = typeof ort;
export type OnnxSession = ort.InferenceSession;

let loaded: Promise<OnnxRuntime> | undefined;

/**
 * ONNX Runtime, loaded on first use. The engine `onnxruntime` runs networks on it, the linear algebra of the heads its Gemm.
 * Throws PACKAGE_MISSING when the package or its native library does not load.
 */
export function onnxRuntime(): Promise<OnnxRuntime> {
  loaded ??= import('onnxruntime-node').catch((cause: unknown) => {
    loaded = undefined;
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `onnxruntime-node does not load: ${reasonOf(cause)}. Run "npm ci" again; on Linux it needs glibc 2.28 or later on x64 or arm64.`,
      { cause },
    );
  });
  return loaded;
}

/** A session over model bytes. Throws ENGINE_FAILED with the runtime's own message. */
export async function createSession(
  model: Uint8Array,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<OnnxSession> {
  const runtime = await onnxRuntime();
  try {
    return await runtime.InferenceSession.create(model, options);
  } catch (cause) {
    throw new PermafrostError('ENGINE_FAILED', `ONNX Runtime refused the model: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
