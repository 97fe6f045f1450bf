import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { withIsNullOrUndefined } from './is-null-or-undefined.ts';
import type { FoundPackage } from './packages.ts';
import type { Tf } from './tensors.ts';

// The packages are CommonJS, found by their folders.
const require = createRequire(import.meta.url);

/** A tfjs that runs in this process. */
export interface TfjsRuntime {
  readonly tf: Tf;
  readonly package: FoundPackage;
  /** What the ops run on, as TensorFlow says: `gpu` only where it uses one. */
  readonly device: 'cpu' | 'gpu';
  /** The package's version, its name, and TensorFlow's version where it has one. */
  readonly version: string;
  /** Threads of an operation; 0: as many as TensorFlow finds processors. */
  readonly threads: number;
  /** Runs synchronous work on this runtime's backend, whatever else uses tfjs in the process. */
  readonly run: <T>(work: () => T) => T;
}

interface NativeBinding {
  readonly TF_Version: string;
}

/** Runtimes of this process by folder. The first native one stays: all of them register the same names in tfjs. */
const runtimes = new Map<string, Promise<TfjsRuntime>>();
let native: FoundPackage | undefined;

function runtime(tf: Tf, found: FoundPackage, backend: string, facts: Partial<TfjsRuntime>): TfjsRuntime {
  return {
    tf,
    package: found,
    device: 'cpu',
    version: `${found.version} (${found.name})`,
    threads: 1,
    ...facts,
    run: (work) =>
      withIsNullOrUndefined(() => {
        // The backend is initialised: it is switched before setBackend returns; the promise only says so.
        if (tf.getBackend() !== backend) void tf.setBackend(backend);
        return tf.tidy(work);
      }),
  };
}

function loadNative(found: FoundPackage, library: string, threads: number): TfjsRuntime {
  if (native !== undefined && native.folder !== found.folder) {
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `${native.name} already runs in this process, and two native tfjs packages cannot. Use ${found.name} in a process of its own.`,
    );
  }
  // Read at load: TensorFlow greets on stderr, and on Ampere and later it would convolve in TF32, not fp32.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  if (threads > 0) process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  // First the library alone: where it fails, nothing of tfjs is registered and another package can be tried.
  const binding = require(library) as NativeBinding;
  native = found;
  const tf = withIsNullOrUndefined(() => require(found.api) as Tf);
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice: boolean };
  return runtime(tf, found, 'tensorflow', {
    device: isUsingGpuDevice ? 'gpu' : 'cpu',
    version: `${found.version} (${found.name}, TensorFlow ${binding.TF_Version})`,
    threads,
  });
}

async function loadWasm(found: FoundPackage): Promise<TfjsRuntime> {
  const tf = require(found.api) as Tf;
  const wasm = require(found.folder) as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(join(dirname(require.resolve(found.folder)), '/'));
  if (!(await tf.setBackend('wasm'))) throw new Error('its WebAssembly does not start');
  return runtime(tf, found, 'wasm', {});
}

/**
 * Loads a package, once a process, with so many threads: the one place that imports tfjs. The first load decides the
 * threads of all; the runtime says how many they are. Throws PACKAGE_MISSING where it is not installed
 * whole or its library does not load, ENGINE_UNAVAILABLE where the process already runs another native one.
 */
export function loadTfjs(found: FoundPackage, threads = 0): Promise<TfjsRuntime> {
  const known = runtimes.get(found.folder);
  if (known !== undefined) return known;
  const loading = load(found, threads);
  runtimes.set(found.folder, loading);
  loading.catch(() => runtimes.delete(found.folder));
  return loading;
}

async function load(found: FoundPackage, threads: number): Promise<TfjsRuntime> {
  try {
    if (found.problem !== null) throw new Error(found.problem);
    return found.binding === null ? await loadWasm(found) : loadNative(found, found.binding, threads);
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `${found.name} ${found.version} in ${found.folder} does not load: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}
