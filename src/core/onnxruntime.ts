import { isMainThread } from 'node:worker_threads';
import type * as ort from 'onnxruntime-node';
import { PermafrostError, reasonOf } from './errors.ts';
import type { OnnxGraph } from './onnx-model.ts';

export type OnnxRuntime = typeof ort;
export type OnnxSession = ort.InferenceSession;
export type OnnxSessionOptions = ort.InferenceSession.SessionOptions;

let loaded: Promise<OnnxRuntime> | undefined;

/** ONNX Runtime, loaded on first use: runs networks, and the heads' matrix products. Throws PACKAGE_MISSING. */
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
 * A session over a graph or a model's bytes. In a worker thread it computes on that thread alone: the cores are shared
 * out already, and sums keep one order for any number of workers. Throws ENGINE_FAILED.
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
    throw new PermafrostError('ENGINE_FAILED', `ONNX Runtime refused the model: ${reasonOf(cause)}`, { cause });
  }
}
