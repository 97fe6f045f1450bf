import { PermafrostError, reasonOf } from '../core/errors.ts';
import type { Listener } from '../core/results.ts';
import { createEngine, ENGINE_NAMES, type EngineName } from '../extract/engines/index.ts';
import type { Engine, Precision } from '../extract/engines/engine.ts';

export interface EngineChoice {
  readonly engine: EngineName | 'auto';
  /** `auto` (default): the engine's own. */
  readonly device?: string | undefined;
  /** `auto` (default): the engine's own, never int8. */
  readonly precision?: Precision | 'auto' | undefined;
  /** Class of the features that the new ones go with, as engineClassOf gives it; taken unless another engine is asked for. */
  readonly engineClass?: string | undefined;
}

/** `engine/device/precision`: features of one class agree to the last digits. */
export function engineClassOf({ name, device, precision }: Omit<Engine, 'load'>): string {
  return `${name}/${device}/${precision}`;
}

/** The engine of a class. Throws ENGINE_UNAVAILABLE naming the class where this machine or this permafrost has it not. */
async function engineOfClass(engineClass: string): Promise<Engine> {
  const [name = '', device, precision] = engineClass.split('/');
  try {
    return await createEngine(name, { device, precision });
  } catch (cause) {
    throw new PermafrostError(
      'ENGINE_UNAVAILABLE',
      `The features that the answer rests on were made by the engine class ${engineClass}, which is not available here: ${reasonOf(cause)} Install it or go to a machine that has it, or extract again with one of the engines ${ENGINE_NAMES.join(', ')} and train the head anew.`,
      { cause },
    );
  }
}

const asked = (value: string | undefined): string | undefined => (value === 'auto' ? undefined : value);

/**
 * The engine that is asked for. `auto` takes the engine class of the features that the new ones go with, else the default one, and tells
 * which and why. Throws ENGINE_UNAVAILABLE and what createEngine throws.
 */
export async function chooseEngine(
  { engine: name, device, precision, engineClass }: EngineChoice,
  listener: Listener,
): Promise<Engine> {
  const sameClass = engineClass !== undefined && (name === 'auto' || engineClass.startsWith(`${name}/`));
  const engine = sameClass
    ? await engineOfClass(engineClass)
    : await createEngine(asked(name) ?? 'onnxruntime', {
        device: asked(device),
        precision: asked(precision),
      });
  if (name === 'auto') {
    const why = sameClass
      ? `the engine class ${engineClass} of the features that the new ones are compared with`
      : 'the one engine of this version';
    listener.note?.(
      `Engine: ${engine.name} ${engine.version} on ${engine.device}, ${engine.precision} (${why}).`,
    );
  }
  return engine;
}
