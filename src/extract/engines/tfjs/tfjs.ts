import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { choiceOption, resolveOptions, type OptionsOf } from '../../../core/options.ts';
import type { Engine, Executable } from '../engine.ts';
import { guardedExecutable } from '../guarded-executable.ts';
import { loadNetwork } from './network.ts';
import { findPackage, TFJS_ORDER, TFJS_PACKAGES, TFJS_VERSION, type TfjsPackage } from './packages.ts';
import { loadTfjs, type TfjsRuntime } from './runtime.ts';
import type { Program } from '../../program.ts';

export const TFJS_OPTIONS = {
  package: choiceOption(
    ['auto', ...TFJS_ORDER],
    'auto',
    `which npm package of tfjs runs the network; auto: the first of ${TFJS_ORDER.join(', ')} that is installed`,
  ),
  device: choiceOption(
    ['auto', 'cpu', 'gpu'],
    'auto',
    'where the network runs; auto: on the GPU where TensorFlow finds one that it can use',
  ),
  precision: choiceOption(['fp32'], 'fp32', 'number format of the network'),
} as const;
/** Options of the engine `tfjs`. @interface */
export type TfjsOptions = OptionsOf<typeof TFJS_OPTIONS>;

const INSTALL = {
  'node-gpu': 'npx permafrost engines add tfjs',
  node: `npm install ${TFJS_PACKAGES.node}@${TFJS_VERSION}`,
  wasm: `npm install @tensorflow/tfjs@${TFJS_VERSION} ${TFJS_PACKAGES.wasm}@${TFJS_VERSION}`,
} as const satisfies Record<TfjsPackage, string>;

/** The first package that loads, and why those before it did not. */
async function firstThatLoads(
  names: readonly TfjsPackage[],
): Promise<{ readonly runtime: TfjsRuntime; readonly passed: readonly string[] }> {
  const passed: string[] = [];
  let cause: unknown;
  for (const name of names) {
    const found = findPackage(name);
    if (found === null) {
      passed.push(`${TFJS_PACKAGES[name]} is not installed.`);
      continue;
    }
    try {
      return { runtime: await loadTfjs(found), passed };
    } catch (error) {
      cause = error;
      passed.push(reasonOf(error));
    }
  }
  const code = cause instanceof PermafrostError ? cause.code : 'PACKAGE_MISSING';
  throw new PermafrostError(
    code,
    `The engine tfjs has nothing to run on. ${passed.join(' ')} To install it, run "${INSTALL[names[0]!]}".`,
    { cause },
  );
}

/** A request for a device is met or refused, never changed. */
function checkDevice(runtime: TfjsRuntime, wanted: TfjsOptions['device']): void {
  if (wanted === 'auto' || wanted === runtime.device) return;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    wanted === 'gpu'
      ? `${runtime.version} finds no GPU that it can use. It needs ${TFJS_PACKAGES['node-gpu']} with the libraries of its own installation, an NVIDIA card, and the CUDA and cuDNN of that TensorFlow (2.9: CUDA 11.2, cuDNN 8.1). Choose device cpu or auto to compute on the CPU.`
      : `${runtime.version} computes on the GPU. Set CUDA_VISIBLE_DEVICES=-1 to hide it, or choose package node.`,
  );
}

function notesOn(runtime: TfjsRuntime, passed: readonly string[]): readonly string[] {
  const { name } = runtime.package;
  const notes = passed.length === 0 ? [] : [`tfjs runs on ${name}. ${passed.join(' ')}`];
  if (name === TFJS_PACKAGES['node-gpu'] && runtime.device === 'cpu') {
    notes.push(`${name} found no GPU that it can use and computes on the CPU.`);
  }
  if (name === TFJS_PACKAGES.wasm) {
    notes.push(`${name} computes on one thread of the CPU, many times slower than the engine onnxruntime.`);
  }
  return notes;
}

function executable(runtime: TfjsRuntime, program: Program): Executable {
  const { name } = runtime.package;
  try {
    const { infer, release } = loadNetwork(runtime, program);
    const { size } = program.contract;
    return guardedExecutable({ runtime: name, size, infer, release: () => Promise.resolve(release()) });
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError('ENGINE_FAILED', `${name} refused the network: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * TensorFlow.js: TensorFlow's own C library through @tensorflow/tfjs-node-gpu or -node, or WebAssembly. A run gives
 * JavaScript a turn between layers. Throws OPTION_INVALID, PACKAGE_MISSING where no package is installed or loads,
 * ENGINE_UNAVAILABLE where the chosen device is not there.
 */
export async function createTfjsEngine(options: Partial<TfjsOptions> = {}): Promise<Engine> {
  const { package: wanted, device, precision } = resolveOptions('engine tfjs', TFJS_OPTIONS, options);
  const names = wanted !== 'auto' ? [wanted] : device === 'gpu' ? (['node-gpu'] as const) : TFJS_ORDER;
  const { runtime, passed } = await firstThatLoads(names);
  checkDevice(runtime, device);
  return {
    name: 'tfjs',
    device: runtime.device,
    precision,
    version: runtime.version,
    notes: notesOn(runtime, passed),
    // What executable() throws rejects the promise.
    load: (program) => new Promise((resolve) => resolve(executable(runtime, program))),
  };
}
