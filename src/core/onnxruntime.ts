import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import type * as ort from 'onnxruntime-common';
import { PermafrostError, reasonOf } from './errors.ts';
import { availableCores } from './machine/available-cores.ts';
import type { OnnxGraph } from './onnx-model.ts';

/** The API of onnxruntime-node: that of onnxruntime-common, and what this build can run on. */
export type OnnxRuntime = typeof ort & { listSupportedBackends(): readonly { readonly name: string }[] };
export type OnnxSession = ort.InferenceSession;
export type OnnxSessionOptions = ort.InferenceSession.SessionOptions;

const require = createRequire(import.meta.url);

/**
 * Where the build puts the binding that permafrost brings (scripts/bundle-onnxruntime.mjs says why it does): the same
 * folder for what was built and for its sources, as one process cannot start one binding under two names.
 */
const BUNDLED = fileURLToPath(new URL('../../dist/onnxruntime', import.meta.url));

/**
 * The folder of the ONNX Runtime that is loaded: PERMAFROST_ONNXRUNTIME, a whole onnxruntime-node with what the copy in
 * permafrost lacks (CUDA, Direct3D, another platform), else that copy.
 */
export const onnxRuntimeFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  env.PERMAFROST_ONNXRUNTIME ? resolve(env.PERMAFROST_ONNXRUNTIME) : BUNDLED;

/** What to do where the binding does not load, which depends on whose it is. */
function advice(): string {
  const own = process.env.PERMAFROST_ONNXRUNTIME;
  if (own)
    return `PERMAFROST_ONNXRUNTIME names ${own}: it must be the folder of an installed package onnxruntime-node.`;
  const here = `${process.platform} ${process.arch}`;
  return (
    `permafrost brings it for Linux (x64, arm64; glibc 2.28 or later, so not Alpine), macOS (arm64) and Windows (x64, arm64); this is ${here}. ` +
    `If that is one of them, install permafrost again; elsewhere docs/install.md says what to do.`
  );
}

let loaded: OnnxRuntime | undefined;

function load(): OnnxRuntime {
  try {
    return require(onnxRuntimeFolder()) as OnnxRuntime;
  } catch (cause) {
    // The lines below the first say who asked for the module.
    const reason = reasonOf((cause as Error).message.split('\n')[0]);
    throw new PermafrostError('PACKAGE_MISSING', `ONNX Runtime does not load: ${reason}. ${advice()}`, {
      cause,
    });
  }
}

/** ONNX Runtime, loaded on first use: runs networks, and the heads' matrix products. Throws PACKAGE_MISSING. */
export function onnxRuntime(): Promise<OnnxRuntime> {
  // In a promise, so that what does not load is a rejection.
  return new Promise((resolved) => resolved((loaded ??= load())));
}

/**
 * Threads of a session. Left to itself (0) ONNX Runtime takes one per core of the machine, ties each to a core whatever
 * this process may run on, and two processes fight for the same cores; of a number that it is given, none is tied.
 */
function threadsOf(asked: number | undefined, ownsCores: boolean): number {
  if (!ownsCores) return 1;
  return asked || (availableCores() ?? 0);
}

/**
 * A session over a graph or a model's bytes, by default on all cores that this process may use. In a worker thread it computes on that thread alone, the cores being
 * shared out already and sums keeping one order for any number of workers; `ownsCores` is for the one worker that has
 * them all. Throws ENGINE_FAILED.
 */
export async function createSession(
  model: OnnxGraph | Uint8Array,
  options: OnnxSessionOptions = {},
  { ownsCores = isMainThread }: { readonly ownsCores?: boolean } = {},
): Promise<OnnxSession> {
  const runtime = await onnxRuntime();
  // The encoder brings a protobuf library, which commands that build no model must not wait for.
  const bytes = model instanceof Uint8Array ? model : (await import('./onnx-model.ts')).encodeOnnx(model);
  try {
    const intraOpNumThreads = threadsOf(options.intraOpNumThreads, ownsCores);
    return await runtime.InferenceSession.create(bytes, { ...options, intraOpNumThreads });
  } catch (cause) {
    throw new PermafrostError('ENGINE_FAILED', `ONNX Runtime refused the model: ${reasonOf(cause)}`, { cause });
  }
}
