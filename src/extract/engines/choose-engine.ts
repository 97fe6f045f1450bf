import { PermafrostError } from '../../core/errors.ts';
import type { Precision } from './engine.ts';
import type { EngineName } from './index.ts';
import type { Processor } from './processor.ts';
import { engineClass, VARIANTS, type Variant } from './variants.ts';

/** What the user asked for. */
export interface EngineWish {
  readonly engine: EngineName | 'auto';
  /** `auto` unless given. */
  readonly device?: string | undefined;
  readonly precision: Precision | 'auto';
}

/** A variant that was tried on this machine: why it does not run, or null where it does. */
export interface TriedVariant {
  readonly variant: Variant;
  readonly problem: string | null;
}

export interface ChoiceFacts {
  readonly wish: EngineWish;
  readonly processor: Processor;
  /** Engine classes of stored features that would serve in all else, best first: `auto` stays with them. */
  readonly held: readonly string[];
  /** Engines that `permafrost engines add` can install. */
  readonly installable: readonly string[];
}

export interface EngineChoice {
  readonly variant: Variant;
  /** Why this one: part of a sentence. */
  readonly why: string;
  /** What would be faster, and how to get it: part of a sentence each. */
  readonly faster: readonly string[];
}

/** Gains below this are within what machines differ. */
const WORTH_TELLING = 1.2;

const isOpen = (wish: string | undefined): boolean => wish === undefined || wish === 'auto';

function matches({ engine, device, precision, onlyAsked }: Variant, wish: EngineWish): boolean {
  if (onlyAsked !== undefined && isOpen(wish[onlyAsked])) return false;
  return (
    (wish.engine === 'auto' || wish.engine === engine) &&
    (isOpen(wish.device) || wish.device === device) &&
    (wish.precision === 'auto' || wish.precision === precision)
  );
}

/** Whether `auto` may pick the precision: int8 only when asked for, bf16 only where the processor has units for it. */
function isOffered({ precision }: Variant, { wish, processor }: ChoiceFacts): boolean {
  if (wish.precision !== 'auto') return true;
  return precision === 'fp32' || (precision === 'bf16' && processor.bf16 !== null);
}

/**
 * The variants that serve a wish, best first: those of stored features, then by speed. Throws OPTION_INVALID where there is no such
 * variant on any machine.
 */
export function candidates(facts: ChoiceFacts): readonly Variant[] {
  const { wish, processor, held } = facts;
  const serving = VARIANTS.filter((variant) => matches(variant, wish));
  if (serving.length === 0) {
    const known = VARIANTS.filter(({ engine }) => wish.engine === 'auto' || engine === wish.engine);
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no engine ${wish.engine} on the device ${wish.device ?? 'auto'} in ${wish.precision}. There is: ${known.map(engineClass).join(', ')}.`,
    );
  }
  // Features in int8 belong to a calibration of their own: auto neither makes nor continues them.
  const stored = held
    .flatMap((name) => serving.filter((variant) => engineClass(variant) === name))
    .filter(({ precision }) => precision !== 'int8' || wish.precision === 'int8');
  const others = serving
    .filter((variant) => !stored.includes(variant) && isOffered(variant, facts))
    .sort((a, b) => b.speed(processor) - a.speed(processor));
  return [...stored, ...others];
}

function times(factor: number): string {
  return `about ${factor >= 3 ? factor.toFixed(0) : factor.toFixed(1)} times as fast`;
}

function noUnits({ known, limit }: Processor): string {
  if (!known) return 'whether this processor has units for bf16 is not known here, --precision bf16 tries it';
  return limit === null
    ? 'this processor has no units for bf16'
    : `ONEDNN_MAX_CPU_ISA=${limit} hides this processor's units for bf16`;
}

const firstSentence = (text: string): string => text.split(/\.(?:\s|$)/)[0]!;

function reason(
  variant: Variant,
  { wish, processor, held }: ChoiceFacts,
  tried: readonly TriedVariant[],
): string {
  if (wish.engine !== 'auto' && wish.precision !== 'auto') {
    return variant.precision === 'bf16' && processor.known && processor.bf16 === null
      ? `as asked, though ${noUnits(processor)} and fp32 is faster`
      : 'as asked';
  }
  if (held.includes(engineClass(variant))) {
    return 'the stored features were made with it; name another with --engine and --precision to extract again';
  }
  const parts = [
    variant.precision === 'bf16' && processor.bf16 !== null
      ? `this processor has ${processor.bf16}, and features keep a cosine to fp32 of 0.9998 or more`
      : wish.precision === 'auto' && processor.bf16 === null
        ? `${noUnits(processor)}, and in fp32 it is the fastest that is usable`
        : wish.engine === 'auto'
          ? 'it is the fastest that is usable'
          : 'as asked',
  ];
  const unusable = new Map(
    tried.flatMap(({ variant: { engine }, problem }) =>
      problem === null ? [] : [[engine, problem] as const],
    ),
  );
  unusable.delete(variant.engine); // on another device of it, of which the engine tells itself
  for (const [engine, problem] of unusable) parts.push(`${engine} is not: ${firstSentence(problem)}`);
  return parts.join('; ');
}

/** How to get a faster variant. */
function way({ engine, precision }: Variant, { installable }: ChoiceFacts, problem: string | null): string {
  const flags = `--engine ${engine} --precision ${precision}`;
  if (problem === null) return flags;
  return installable.includes(engine) ? `npx permafrost engines add ${engine}` : problem;
}

/**
 * Chooses among variants that were tried on this machine: the first of `candidates` without a problem. Pure: same facts, same choice.
 * Undefined where none of them runs.
 */
export function chooseEngine(facts: ChoiceFacts, tried: readonly TriedVariant[]): EngineChoice | undefined {
  const order = candidates(facts).map(engineClass);
  const byOrder = [...tried].sort(
    (a, b) => order.indexOf(engineClass(a.variant)) - order.indexOf(engineClass(b.variant)),
  );
  const variant = byOrder.find(
    (entry) => entry.problem === null && order.includes(engineClass(entry.variant)),
  )?.variant;
  if (variant === undefined) return undefined;
  const { processor } = facts;
  const problemOf = (other: Variant): string | null =>
    tried.find((entry) => entry.variant.engine === other.engine && entry.problem !== null)?.problem ?? null;
  const faster = VARIANTS.filter(
    (other) =>
      other.onlyAsked === undefined && other.speed(processor) >= WORTH_TELLING * variant.speed(processor),
  ).map(
    (other) =>
      `${engineClass(other)} (${times(other.speed(processor) / variant.speed(processor))}): ${way(other, facts, problemOf(other))}`,
  );
  return { variant, why: reason(variant, facts, tried), faster };
}
