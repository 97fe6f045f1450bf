import { PermafrostError } from '../../core/errors.ts';
import type { Precision } from './engine.ts';
import type { EngineName } from './index.ts';
import type { Processor } from './processor.ts';
import { engineClass, VARIANTS, type Variant } from './variants.ts';

/** What the user asked for. */
export interface EngineRequest {
  readonly engine: EngineName | 'auto';
  /** `auto` unless given. */
  readonly device?: string | undefined;
  readonly precision: Precision | 'auto';
  /** Threads of the network; absent or 0: one per physical core that this process may use. */
  readonly threads?: number | undefined;
}

/** A variant that was tried on this machine: why it does not run, or null where it does. */
export interface TriedVariant {
  readonly variant: Variant;
  readonly problem: string | null;
}

export interface ChoiceFacts {
  readonly request: EngineRequest;
  readonly processor: Processor;
  /** Engine classes of stored features that would serve in all else, best first: `auto` stays with them. */
  readonly held: readonly string[];
  /** Speeds that were measured on this processor, as Variant.speed counts them, by engine class. */
  readonly measured?: ReadonlyMap<string, number> | undefined;
  /** Engines that `permafrost engines add` can install. */
  readonly installable: readonly string[];
}

export interface EngineChoice {
  readonly variant: Variant;
  /** Why this one, in a few words. */
  readonly why: string;
  /** What else speaks for it: part of a sentence each, for whoever asks. */
  readonly details: readonly string[];
  /** What would be faster, and how to get it: part of a sentence each. */
  readonly faster: readonly string[];
  /** The best of what `auto` would take and the user can add by a command: one short sentence. */
  readonly hint?: string;
}

/** Gains below this are within what machines differ. */
const WORTH_TELLING = 1.2;

const isOpen = (request: string | undefined): boolean => request === undefined || request === 'auto';

function matches({ engine, device, precision, onlyAsked }: Variant, request: EngineRequest): boolean {
  if (onlyAsked !== undefined && isOpen(request[onlyAsked])) return false;
  return (
    (request.engine === 'auto' || request.engine === engine) &&
    (isOpen(request.device) || request.device === device) &&
    (request.precision === 'auto' || request.precision === precision)
  );
}

/** Images a second as a multiple of onnxruntime's in fp32: measured here, or else as it was on other processors. */
const speedOf = (variant: Variant, { measured, processor }: ChoiceFacts): number =>
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

/** The variants that serve a request: those of stored features, then by speed. Throws OPTION_INVALID where none can. */
export function candidates(facts: ChoiceFacts): readonly Variant[] {
  const { request, held } = facts;
  const serving = VARIANTS.filter((variant) => matches(variant, request));
  if (serving.length === 0) {
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

const rounded = (factor: number): string => factor.toFixed(factor >= 3 ? 0 : 1);

function noUnits({ known, limit }: Processor): string {
  if (!known) return 'whether the processor has units for bf16 is not known, --precision bf16 tries it';
  return limit === null ? 'no units for bf16' : `ONEDNN_MAX_CPU_ISA=${limit} hides the units for bf16`;
}

/** Why there was no choice: stored features, or a request for both engine and precision; undefined for others. */
function givenReason(variant: Variant, { request, processor, held }: ChoiceFacts): string | undefined {
  if (request.engine !== 'auto' && request.precision !== 'auto') {
    return variant.precision === 'bf16' && processor.known && processor.bf16 === null
      ? `as asked, though fp32 is faster: ${noUnits(processor)}`
      : 'as asked';
  }
  return held.includes(engineClass(variant))
    ? 'it made the stored features; --engine and --precision switch'
    : undefined;
}

/** Engines that a choice passed over because they do not run here. */
function unusable(variant: Variant, facts: ChoiceFacts, tried: readonly TriedVariant[]): readonly string[] {
  const wanted = candidates(facts).map(engineClass);
  const passed = tried.filter(({ variant: other, problem }) => problem !== null && wanted.includes(engineClass(other)));
  // The engine itself may be among them, on another device, of which it tells by itself.
  return [...new Set(passed.map(({ variant: { engine } }) => engine))].filter((name) => name !== variant.engine);
}

function reason(
  variant: Variant,
  facts: ChoiceFacts,
  tried: readonly TriedVariant[],
): Pick<EngineChoice, 'why' | 'details'> {
  const { request, processor } = facts;
  const given = givenReason(variant, facts);
  if (given !== undefined) return { why: given, details: [] };
  const isBf16 = variant.precision === 'bf16' && processor.bf16 !== null;
  const isMeasured = variant.onlyMeasured === true && isOpen(request.engine);
  const passed = unusable(variant, facts, tried);
  const why = [
    request.engine === 'auto' ? 'the fastest here' : 'as asked',
    ...(passed.length > 0 ? [` without ${passed.join(', ')}`] : []),
    ...(isBf16
      ? [`: the processor has ${processor.bf16}`]
      : isMeasured
        ? [`: measured, ${rounded(speedOf(variant, facts))}x onnxruntime`]
        : request.precision === 'auto' && processor.bf16 === null
          ? [`: ${noUnits(processor)}`]
          : []),
  ].join('');
  const details = isBf16 ? ['features in bf16 keep a cosine to fp32 of 0.9998 or more'] : [];
  return { why, details };
}

/** How to get a faster variant. */
function way({ engine, precision }: Variant, { installable }: ChoiceFacts, problem: string | null): string {
  const flags = `--engine ${engine} --precision ${precision}`;
  if (problem === null) return flags;
  return installable.includes(engine) ? `npx permafrost engines add ${engine}` : problem;
}

/** The fastest variant that `auto` would take were it here, where a command adds it and the gain is worth telling. */
function hintFor(variant: Variant, facts: ChoiceFacts, tried: readonly TriedVariant[]): string | undefined {
  const { installable } = facts;
  if (givenReason(variant, facts) !== undefined) return undefined;
  const addable = unusable(variant, facts, tried).filter((engine) => installable.includes(engine));
  const best = candidates(facts).find(({ engine }) => addable.includes(engine));
  const gain = best === undefined ? 0 : speedOf(best, facts) / speedOf(variant, facts);
  if (best === undefined || gain < WORTH_TELLING) return undefined;
  return `Faster here: npx permafrost engines add ${best.engine} (${best.precision}, about ${rounded(gain)}x).`;
}

/** The first of `candidates` that was tried here without a problem, or undefined. Pure: same facts, same choice. */
export function chooseEngine(facts: ChoiceFacts, tried: readonly TriedVariant[]): EngineChoice | undefined {
  const order = candidates(facts).map(engineClass);
  const byOrder = [...tried].sort(
    (a, b) => order.indexOf(engineClass(a.variant)) - order.indexOf(engineClass(b.variant)),
  );
  const variant = byOrder.find(
    (entry) => entry.problem === null && order.includes(engineClass(entry.variant)),
  )?.variant;
  if (variant === undefined) return undefined;
  const gainOf = (other: Variant): number => speedOf(other, facts) / speedOf(variant, facts);
  const problemOf = (other: Variant): string | null =>
    tried.find((entry) => entry.variant.engine === other.engine && entry.problem !== null)?.problem ?? null;
  const faster = VARIANTS.filter((other) => other.onlyAsked === undefined && gainOf(other) >= WORTH_TELLING).map(
    (other) =>
      `${engineClass(other)} (about ${rounded(gainOf(other))} times as fast): ${way(other, facts, problemOf(other))}`,
  );
  const hint = hintFor(variant, facts, tried);
  return { variant, ...reason(variant, facts, tried), faster, ...(hint !== undefined && { hint }) };
}

/** A variant that `auto` would take in place of `chosen` if it was measured to be faster, and was not measured yet. */
export function toBeMeasured(chosen: Variant, facts: ChoiceFacts): Variant | undefined {
  const { request, held, measured } = facts;
  if (!isOpen(request.engine) || held.includes(engineClass(chosen))) return undefined;
  return VARIANTS.find(
    (variant) =>
      variant.onlyMeasured === true &&
      matches(variant, request) &&
      measured?.has(engineClass(variant)) !== true &&
      speedOf(variant, facts) > speedOf(chosen, facts),
  );
}
