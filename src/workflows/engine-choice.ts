import { PermafrostError } from '../core/errors.ts';
import type { Listener } from '../core/results.ts';
import {
  candidates,
  chooseEngine,
  type ChoiceFacts,
  type EngineChoice,
  type EngineWish,
  type TriedVariant,
} from '../extract/engines/choose-engine.ts';
import type { Engine } from '../extract/engines/engine.ts';
import { createEngine } from '../extract/engines/index.ts';
import { INSTALLABLE } from '../extract/engines/installations.ts';
import { readProcessor } from '../extract/engines/processor.ts';
import type { Variant } from '../extract/engines/variants.ts';

/** A variant that was tried, with the engine where it runs. */
export interface Attempt extends TriedVariant {
  readonly engine: Engine | null;
}

/** Makes the engine of a variant; what this machine lacks is a problem, not an exception. */
export async function attempt(variant: Variant): Promise<Attempt> {
  const { device, precision } = variant;
  try {
    return { variant, engine: await createEngine(variant.engine, { device, precision }), problem: null };
  } catch (error) {
    const isMissing =
      error instanceof PermafrostError && ['ENGINE_UNAVAILABLE', 'PACKAGE_MISSING'].includes(error.code);
    if (!isMissing) throw error;
    return { variant, engine: null, problem: error.message };
  }
}

/** What a choice is made from on this machine. */
export function choiceFacts(wish: EngineWish, held: readonly string[] = []): ChoiceFacts {
  return { wish, held, processor: readProcessor(), installable: INSTALLABLE };
}

/** The choice as one line: engine, device, precision, why, and what would be faster. */
export function choiceText({ name, version, device, precision }: Engine, choice: EngineChoice): string {
  const faster = choice.faster.length > 0 ? ` Faster: ${choice.faster.join('; ')}.` : '';
  return `Engine: ${name} ${version} on ${device}, ${precision}: ${choice.why}.${faster}`;
}

/**
 * The engine that serves a wish best, ready to load a network, and one line about it for the listener. Runtimes are tried in the order of
 * their speed, so that none is loaded which would not be used. Throws OPTION_INVALID for a wish that no machine serves,
 * ENGINE_UNAVAILABLE where this one does not.
 */
export async function prepareEngine(
  wish: EngineWish,
  held: readonly string[],
  listener: Listener,
): Promise<Engine> {
  const facts = choiceFacts(wish, held);
  const tried: Attempt[] = [];
  for (const variant of candidates(facts)) {
    const one = await attempt(variant);
    tried.push(one);
    if (one.engine === null) continue;
    listener.note?.(choiceText(one.engine, chooseEngine(facts, tried)!));
    return one.engine;
  }
  const problems = new Map(tried.map(({ variant, problem }) => [variant.engine, problem]));
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    [...problems].map(([engine, problem]) => `The engine ${engine} is not usable: ${problem}`).join(' '),
  );
}
