import { PermafrostError } from '../../../core/errors.ts';
import type { Precision } from '../engine.ts';
import type { EngineName } from '../index.ts';
import type { Processor } from './processor.ts';
import { engineClass, REFERENCE, VARIANTS, type Variant } from './variants.ts';

/** What the user asked for. */
export interface EngineRequest {
  readonly engine: EngineName | 'auto';
  /** `auto` unless given. */
  readonly device?: string | undefined;
  readonly precision: Precision | 'auto';
  /** Threads of the network; absent or 0: one per physical core that this process may use. */
  readonly threads?: number | undefined;
}

export interface ChoiceFacts {
  readonly request: EngineRequest;
  readonly processor: Processor;
  /** Engine classes of stored features that would serve in all else, best first: `auto` stays with them. */
  readonly held: readonly string[];
  /** Whether the network is a graph: Variant.speed, which was measured on VGG16, is then an order and no promise. */
  readonly isGraph?: boolean;
  /** Speeds that were measured on this processor, as Variant.speed counts them, by engine class. */
  readonly measured?: ReadonlyMap<string, number> | undefined;
  /** Engines that do not run this very network here. */
  readonly unable?: readonly string[];
  /** Engines that `permafrost engines add` can install. */
  readonly installable: readonly string[];
}

/** Gains below this are within what machines differ. */
export const WORTH_TELLING = 1.2;

export const isOpen = (request: string | undefined): boolean => request === undefined || request === 'auto';

function matches(
  { engine, device, precision, onlyAsked, onlyLayers }: Variant,
  { request, isGraph }: ChoiceFacts,
): boolean {
  if (onlyLayers === true && isGraph === true) return false;
  if (onlyAsked !== undefined && isOpen(request[onlyAsked])) return false;
  return (
    (request.engine === 'auto' || request.engine === engine) &&
    (isOpen(request.device) || request.device === device) &&
    (request.precision === 'auto' || request.precision === precision)
  );
}

/** Images a second as a multiple of onnxruntime's in fp32: measured here, or else as it was on other processors. */
export const speedOf = (variant: Variant, { measured, processor }: ChoiceFacts): number =>
  measured?.get(engineClass(variant)) ?? variant.speed(processor);

/**
 * Whether `auto` may pick a variant: int8 only when asked for, bf16 only where the processor has units for it, and what
 * is to be measured only where that told of a gain.
 */
function isOffered(variant: Variant, { request, processor, measured }: ChoiceFacts): boolean {
  const { precision, onlyMeasured } = variant;
  const isWorth = (measured?.get(engineClass(variant)) ?? 0) >= WORTH_TELLING;
  if (onlyMeasured === true && isOpen(request.engine) && !isWorth) return false;
  if (request.precision !== 'auto') return true;
  return precision === 'fp32' || (precision === 'bf16' && processor.bf16 !== null);
}

const onlyLayersRun = (engine: string): PermafrostError =>
  new PermafrostError(
    'OPTION_INVALID',
    `The engine ${engine} builds its own operators of lists of layers (VGG16, VGG19), and this network is a graph. Take --engine onnxruntime, or openvino.`,
  );

/** The variants that serve a request: those of stored features, then by speed. Throws OPTION_INVALID where none can. */
export function candidates(facts: ChoiceFacts): readonly Variant[] {
  const { request, held, unable = [] } = facts;
  const able = VARIANTS.filter(({ engine }) => !unable.includes(engine));
  const serving = able.filter((variant) => matches(variant, facts));
  if (serving.length === 0 && unable.length === 0) {
    if (VARIANTS.some((variant) => matches(variant, { ...facts, isGraph: false }))) throw onlyLayersRun(request.engine);
    const known = VARIANTS.filter(({ engine }) => request.engine === 'auto' || engine === request.engine);
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no engine ${request.engine} on the device ${request.device ?? 'auto'} in ${request.precision}. There is: ${known.map(engineClass).join(', ')}.`,
    );
  }
  // Features in int8 belong to a calibration of their own: auto neither makes nor continues them.
  const stored = held
    .flatMap((name) => serving.filter((variant) => engineClass(variant) === name))
    .filter(({ precision }) => precision !== 'int8' || request.precision === 'int8');
  const others = serving
    .filter((variant) => !stored.includes(variant) && isOffered(variant, facts))
    .sort((a, b) => speedOf(b, facts) - speedOf(a, facts));
  return [...stored, ...others];
}

/**
 * The variants that the choice hangs on and that were not measured yet. Of lists of layers: what `auto` would take in
 * place of `chosen` if it was measured to be faster. Of a graph, of whose speed nothing is known: what `auto` would
 * take of the engine of `chosen`, where onnxruntime, which is always there, would serve too.
 */
export function toBeMeasured(chosen: Variant, facts: ChoiceFacts): readonly Variant[] {
  const { request, held, measured, isGraph } = facts;
  if (!isOpen(request.engine) || held.includes(engineClass(chosen))) return [];
  const isNew = (variant: Variant): boolean => measured?.has(engineClass(variant)) !== true;
  if (isGraph === true) {
    const serving = candidates(facts);
    if (!serving.includes(REFERENCE)) return [];
    return serving.filter((variant) => variant !== REFERENCE && variant.engine === chosen.engine && isNew(variant));
  }
  return VARIANTS.filter(
    (variant) =>
      variant.onlyMeasured === true &&
      matches(variant, facts) &&
      isNew(variant) &&
      speedOf(variant, facts) > speedOf(chosen, facts),
  );
}
