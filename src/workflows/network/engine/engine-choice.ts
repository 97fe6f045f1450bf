import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import {
  candidates,
  isOpen,
  toBeMeasured,
  type ChoiceFacts,
  type EngineRequest,
} from '../../../extract/engines/choice/candidates.ts';
import { chooseEngine, type TriedVariant } from '../../../extract/engines/choice/choose-engine.ts';
import type { Engine } from '../../../extract/engines/engine.ts';
import { createEngine, engineNamed, ENGINE_NAMES } from '../../../extract/engines/index.ts';
import { INSTALLABLE } from '../../../extract/engines/installations.ts';
import { readProcessor } from '../../../extract/engines/choice/processor.ts';
import { REFERENCE, variantsOf, type Variant } from '../../../extract/engines/choice/variants.ts';
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
  return { request, held: variantsOf(storedClasses), processor: readProcessor(), installable: INSTALLABLE, isGraph };
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

/** A graph that an engine is chosen for. */
export interface ChosenFor {
  /** What is measured of it where the choice hangs on that. */
  readonly measured: MeasuredNetwork;
  /** Tries an engine on it. Throws ENGINE_UNAVAILABLE or ENGINE_FAILED for one that does not run it. */
  readonly tryOut: (engine: Engine) => Promise<unknown>;
}

/** Why an engine does not run the network that it is chosen for; undefined where it does. */
async function problemOf(engine: Engine, tryOut: ChosenFor['tryOut']): Promise<PermafrostError | undefined> {
  try {
    await tryOut(engine);
    return undefined;
  } catch (error) {
    if (error instanceof PermafrostError && ['ENGINE_UNAVAILABLE', 'ENGINE_FAILED'].includes(error.code)) return error;
    throw error;
  }
}

interface FirstRunning {
  readonly facts: ChoiceFacts;
  /** Those that were tried before it, and it. */
  readonly tried: readonly Attempt[];
  readonly engine: Engine | null;
}

/** The first of the candidates that runs here: none is loaded in vain. Where one is named its own errors say more. */
async function firstRunning(
  facts: ChoiceFacts,
  graph: ChosenFor | undefined,
  listener: Listener,
): Promise<FirstRunning> {
  const { request, unable = [] } = facts;
  const tried: Attempt[] = [];
  for (const variant of candidates(facts)) {
    const one = await attempt(variant, request.threads);
    tried.push(one);
    if (one.engine === null) continue;
    // int8 has no calibration yet.
    const isTried = graph !== undefined && isOpen(request.engine) && variant.precision !== 'int8';
    const problem = isTried ? await problemOf(one.engine, graph.tryOut) : undefined;
    if (problem === undefined) return { facts, tried, engine: one.engine };
    const others = await firstRunning(
      { ...facts, measured: undefined, unable: [...unable, variant.engine] },
      graph,
      listener,
    );
    if (others.engine === null) throw problem;
    listener.note?.(`${variant.engine} is passed over: ${problem.message}`);
    return others;
  }
  return { facts, tried, engine: null };
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
 * processor, or on the network because it is a graph, it is measured once; an engine that `auto` would take and that
 * does not run the graph is passed over, and reported. Throws OPTION_INVALID for a request that no machine serves,
 * ENGINE_UNAVAILABLE where this one does not.
 */
export async function prepareEngine(
  request: EngineRequest,
  storedClasses: readonly string[],
  graph: ChosenFor | undefined,
  listener: Listener,
): Promise<Engine> {
  let found = await firstRunning(choiceFacts(request, storedClasses, graph?.measured), graph, listener);
  if (found.engine !== null) {
    const measured = await factsMeasured(found.tried.at(-1)!.variant, found.facts, graph?.measured, listener);
    if (measured !== undefined) found = await firstRunning(measured, graph, listener);
  }
  const { facts, tried, engine } = found;
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
