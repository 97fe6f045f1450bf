import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { Engine } from './engine.ts';
import type { OnnxRuntimeOptions, WinogradOptions } from './onnxruntime.ts';
import type { OpenVinoOptions } from './openvino.ts';
import type { TfjsOptions } from './tfjs/tfjs.ts';

export type { Engine, Executable } from './engine.ts';
export type { OnnxRuntimeOptions, WinogradOptions } from './onnxruntime.ts';
export type { OpenVinoOptions } from './openvino.ts';
export type { TfjsOptions } from './tfjs/tfjs.ts';

/** The options of each engine, in its own terms. */
export interface EngineOptionsByName {
  readonly onnxruntime: OnnxRuntimeOptions;
  readonly tfjs: TfjsOptions;
  readonly 'onnxruntime-winograd': WinogradOptions;
  readonly openvino: OpenVinoOptions;
}
/** An engine by its name, as `--engine` takes it. */
export type EngineName = keyof EngineOptionsByName;
/** Options of the engine `N`: what is left out has its default. */
export type EngineOptions<N extends EngineName = EngineName> = Partial<EngineOptionsByName[N]>;

/** Each engine with its maker, whose module is imported only when that engine is asked for. */
const ENGINES: { readonly [N in EngineName]: (options: EngineOptions<N>) => Promise<Engine> } = {
  onnxruntime: async (options) => (await import('./onnxruntime.ts')).createOnnxRuntimeEngine(options),
  tfjs: async (options) => (await import('./tfjs/tfjs.ts')).createTfjsEngine(options),
  'onnxruntime-winograd': async (options) => (await import('./onnxruntime.ts')).createWinogradEngine(options),
  openvino: async (options) => (await import('./openvino.ts')).createOpenVinoEngine(options),
};

/** The names that createEngine takes. */
export const ENGINE_NAMES = Object.freeze(Object.keys(ENGINES)) as readonly EngineName[];

/**
 * The engine `name` with `options` over its defaults. Throws OPTION_INVALID for an unknown name or option,
 * PACKAGE_MISSING where its runtime is not installed, ENGINE_UNAVAILABLE where the machine cannot run it.
 */
export function createEngine<N extends EngineName>(name: N, options: EngineOptions<N> = {}): Promise<Engine> {
  return engineNamed(name, options);
}

/** The same for an unchecked name and options, from a file or a flag. Throws as createEngine. @internal */
export async function engineNamed(name: string, options: Readonly<Record<string, unknown>>): Promise<Engine> {
  if (!Object.hasOwn(ENGINES, name)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no engine "${name}"${suggest(name, ENGINE_NAMES)}. Choose one of: ${ENGINE_NAMES.join(', ')}.`,
    );
  }
  const make: (options: Readonly<Record<string, unknown>>) => Promise<Engine> = ENGINES[name as EngineName];
  return make(options);
}
