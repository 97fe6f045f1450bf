import { isMainThread } from 'node:worker_threads';
import type * as ort from 'onnxruntime-node';
import { PermafrostError, reasonOf } from './errors.ts';
import type { OnnxGraph } from './onnx-model.ts';

export type OnnxRuntime = typeof ort;
export type OnnxSession = ort.InferenceSession;
export type OnnxSessionOptions = ort.InferenceSession.SessionOptions;

let loaded: Promise<OnnxRuntime> | undefined;

/**
 * ONNX Runtime, loaded on first use. The engine `onnxruntime` runs networks on it, the linear algebra of the heads its
 * Gemm. Throws PACKAGE_MISSING when the package or its native library does not load.
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

/**
 * A session over a graph or a model's bytes. In a worker thread it computes on that thread alone: who starts workers
 * has shared the cores out already, and the sums then have one order however many workers there are. Throws
 * ENGINE_FAILED with the runtime's own message.
 */
export async function createSession(
  model: OnnxGraph | Uint8Array,
  options: OnnxSessionOptions = {},
): Promise<OnnxSession> {
  const runtime = await onnxRuntime();
  // The encoder brings a protobuf library, which commands that build no model must not wait for.
  const bytes = model instanceof Uint8Array ? model : (await import('./onnx-model.ts')).encodeOnnx(model);
  try {
    return await runtime.InferenceSession.create(bytes, isMainThread ? options : { ...options, intraOpNumThreads: 1 });
  } catch (cause) {
    throw new PermafrostError('ENGINE_FAILED', `ONNX Runtime refused the model: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
