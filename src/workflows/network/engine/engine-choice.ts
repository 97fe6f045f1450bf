import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import {
  candidates,
  toBeMeasured,
  type ChoiceFacts,
  type EngineRequest,
} from '../../../extract/engines/choice/candidates.ts';
import { chooseEngine, type TriedVariant } from '../../../extract/engines/choice/choose-engine.ts';
import type { Engine } from '../../../extract/engines/engine.ts';
import { createEngine, engineNamed, ENGINE_NAMES } from '../../../extract/engines/index.ts';
import { INSTALLABLE } from '../../../extract/engines/installations.ts';
import { readProcessor } from '../../../extract/engines/choice/processor.ts';
import { REFERENCE, type Variant } from '../../../extract/engines/choice/variants.ts';
import { howToAllow, mayStandIn, type AllowEngine } from './other-class.ts';
import { measuredSpeeds } from './measured-speeds.ts';
import type { MeasuredNetwork } from './variant-process.ts';

/** A variant that was tried, with the engine where it runs. */
export interface Attempt extends TriedVariant {
  readonly engine: Engine | null;
}

/** Makes the engine of a variant, with so many threads; what this machine lacks is a problem, not an exception. */
export async function attempt(variant: Variant, threads?: number): Promise<Attempt> {
  const { device, precision } = variant;
  try {
    return { variant, engine: await engineNamed(variant.engine, { device, precision, threads }), problem: null };
  } catch (error) {
    const isMissing =
      error instanceof PermafrostError && ['ENGINE_UNAVAILABLE', 'PACKAGE_MISSING'].includes(error.code);
    if (!isMissing) throw error;
    return { variant, engine: null, problem: error.message };
  }
}

/** What a choice is made from on this machine; `graph` is the network where it is one. */
export function choiceFacts(
  request: EngineRequest,
  storedClasses: readonly string[] = [],
  graph?: MeasuredNetwork,
): ChoiceFacts {
  const isGraph = graph !== undefined;
  return { request, held: storedClasses, processor: readProcessor(), installable: INSTALLABLE, isGraph };
}

/** The choice as one line: engine, device, precision, why. `doctor` has the details. */
function choiceText({ name, version, device, precision }: Engine, why: string): string {
  return `Engine: ${name} ${version} on ${device}, ${precision} (${why}).`;
}

/** The class of features that new ones are compared with, and whether an engine of another may make them. */
export interface ClassRequest {
  readonly engineClass?: string | undefined;
  /** Default: none may. */
  readonly allowEngine?: AllowEngine | undefined;
}

/** The engine of a class; or why it is not to be had, where another may stand in; neither, where none is meant. */
export interface OwnEngine {
  readonly engine?: Engine;
  readonly problem?: string;
}

/**
 * The engine of the class of features that new ones are compared with, where there is a class and the request names
 * nothing else. Throws ENGINE_UNAVAILABLE naming a class that is not to be had here, where no other may stand in.
 */
export async function engineOfClass(
  {
    engine,
    device: place = 'auto',
    precision,
    threads,
    engineClass,
    allowEngine = 'none',
  }: EngineRequest & ClassRequest,
  listener: Listener,
): Promise<OwnEngine> {
  if (engineClass === undefined) return {};
  const [name = '', device, format] = engineClass.split('/');
  const isMeant = (request: string, is: string | undefined): boolean => request === 'auto' || request === is;
  if (!isMeant(engine, name) || !isMeant(place, device) || !isMeant(precision, format)) return {};
  try {
    const made = await engineNamed(name, { device, precision: format, threads });
    if (engine === 'auto') listener.note?.(choiceText(made, 'it made the features that are compared'));
    return { engine: made };
  } catch (cause) {
    const problem = `The features that the answer rests on were made by the engine class ${engineClass}, which is not available here: ${reasonOf(cause)}`;
    if (mayStandIn('', engineClass, allowEngine)) {
      listener.note?.(problem);
      return { problem };
    }
    throw new PermafrostError('ENGINE_UNAVAILABLE', `${problem} ${howToAllow('', engineClass)} ${insteadOfEngine()}`, {
      cause,
    });
  }
}

/** What is left where no engine may answer. */
export const insteadOfEngine = (): string =>
  `Install it or go to a machine that has it, or extract again with one of the engines ${ENGINE_NAMES.join(', ')} and train the head anew.`;

/** The first of the candidates that runs here, and those that were tried before it: none is loaded in vain. */
async function firstRunning(
  facts: ChoiceFacts,
): Promise<{ readonly tried: Attempt[]; readonly engine: Engine | null }> {
  const tried: Attempt[] = [];
  for (const variant of candidates(facts)) {
    const one = await attempt(variant, facts.request.threads);
    tried.push(one);
    if (one.engine !== null) return { tried, engine: one.engine };
  }
  return { tried, engine: null };
}

/** The facts with what was measured, where the choice of `variant` hangs on that; undefined where it does not. */
export async function factsMeasured(
  variant: Variant,
  facts: ChoiceFacts,
  graph: MeasuredNetwork | undefined,
  listener: Listener,
): Promise<ChoiceFacts | undefined> {
  const open = toBeMeasured(variant, facts);
  if (open.length === 0) return undefined;
  const { version } = await createEngine(REFERENCE.engine);
  return { ...facts, measured: await measuredSpeeds(open, version, graph, listener) };
}

/**
 * The engine that serves a request best, reported with a faster one that could be added. Where that hangs on the
 * processor, or on the network because it is a graph, it is measured once. Throws OPTION_INVALID for a request that no
 * machine serves, ENGINE_UNAVAILABLE where this one does not.
 */
export async function prepareEngine(
  request: EngineRequest,
  storedClasses: readonly string[],
  graph: MeasuredNetwork | undefined,
  listener: Listener,
): Promise<Engine> {
  let facts = choiceFacts(request, storedClasses, graph);
  let { tried, engine } = await firstRunning(facts);
  if (engine !== null) {
    const measured = await factsMeasured(tried.at(-1)!.variant, facts, graph, listener);
    if (measured !== undefined) {
      facts = measured;
      ({ tried, engine } = await firstRunning(facts));
    }
  }
  if (engine !== null) {
    const { why, hint } = chooseEngine(facts, tried)!;
    listener.note?.(choiceText(engine, why));
    if (hint !== undefined) listener.note?.(hint);
    return engine;
  }
  const problems = new Map(tried.map(({ variant, problem }) => [variant.engine, problem]));
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    [...problems].map(([name, problem]) => `The engine ${name} is not usable: ${problem}`).join(' '),
  );
}
