import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { Engine } from './engine.ts';

/** Options in the engine's own terms; each engine checks them against its table. */
export type EngineOptions = Readonly<Record<string, unknown>>;

/** Each engine with its maker, whose module is imported only when that engine is asked for. */
const ENGINES = {
  onnxruntime: async (options: EngineOptions) =>
    (await import('./onnxruntime.ts')).createOnnxRuntimeEngine(options),
  tfjs: async (options: EngineOptions) => (await import('./tfjs/tfjs.ts')).createTfjsEngine(options),
  'onnxruntime-winograd': async (options: EngineOptions) =>
    (await import('./onnxruntime.ts')).createWinogradEngine(options),
  openvino: async (options: EngineOptions) => (await import('./openvino.ts')).createOpenVinoEngine(options),
} satisfies Record<string, (options: EngineOptions) => Promise<Engine>>;

/** An engine by its name, as `--engine` takes it. */
export type EngineName = keyof typeof ENGINES;

/** The names that createEngine takes. */
export const ENGINE_NAMES = Object.freeze(Object.keys(ENGINES)) as readonly EngineName[];

/**
 * An engine by name. Throws OPTION_INVALID for an unknown name or option, PACKAGE_MISSING where its runtime is not
 * installed, ENGINE_UNAVAILABLE where the machine cannot run it.
 */
export async function createEngine(name: string, options: EngineOptions = {}): Promise<Engine> {
  if (!Object.hasOwn(ENGINES, name)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no engine "${name}"${suggest(name, ENGINE_NAMES)}. Choose one of: ${ENGINE_NAMES.join(', ')}.`,
    );
  }
  return ENGINES[name as EngineName](options);
}
