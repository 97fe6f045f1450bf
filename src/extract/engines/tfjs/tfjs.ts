import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { Program } from '../../program.ts';
import type { Engine, Executable } from '../engine.ts';
import { requireLayerProgram } from '../../graph/program-graph.ts';
import { guardedExecutable } from '../guarded-executable.ts';
import { chooseRuntime, type TfjsOptions } from './choose-runtime.ts';
import { loadNetwork } from './network.ts';
import type { TfjsRuntime } from './runtime.ts';

export type { TfjsOptions } from './choose-runtime.ts';

function executable(runtime: TfjsRuntime, program: Program): Executable {
  const { name } = runtime.package;
  try {
    const { infer, release } = loadNetwork(runtime, requireLayerProgram(program, 'tfjs'));
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
  const { runtime, precision, notes } = await chooseRuntime(options);
  return {
    name: 'tfjs',
    device: runtime.device,
    precision,
    version: runtime.version,
    notes,
    // What executable() throws rejects the promise.
    load: (program) => new Promise((resolve) => resolve(executable(runtime, program))),
  };
}
