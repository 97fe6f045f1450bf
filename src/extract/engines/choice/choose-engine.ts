import { candidates, isOpen, speedOf, WORTH_TELLING, type ChoiceFacts } from './candidates.ts';
import type { Processor } from './processor.ts';
import { engineClass, REFERENCE, VARIANTS, type Variant } from './variants.ts';

/** A variant that was tried on this machine: why it does not run, or null where it does. */
export interface TriedVariant {
  readonly variant: Variant;
  readonly problem: string | null;
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

/** What measuring on this processor told of a variant that it decided on; undefined where nothing was measured. */
function measurement(variant: Variant, { request, measured, isGraph }: ChoiceFacts): string | undefined {
  if (measured === undefined || !isOpen(request.engine) || (variant.onlyMeasured !== true && isGraph !== true))
    return undefined;
  const factor = (name: string): string => rounded(measured.get(name) ?? 0);
  if (variant !== REFERENCE) return `measured, ${factor(engineClass(variant))}x onnxruntime`;
  const others = [...measured.keys()].filter((name) => name !== engineClass(variant));
  return `measured, ${others.map((name) => `${name} ${factor(name)}x`).join(', ')}`;
}

function reason(
  variant: Variant,
  facts: ChoiceFacts,
  tried: readonly TriedVariant[],
): Pick<EngineChoice, 'why' | 'details'> {
  const { request, processor, isGraph = false } = facts;
  const given = givenReason(variant, facts);
  if (given !== undefined) return { why: given, details: [] };
  const isBf16 = variant.precision === 'bf16' && processor.bf16 !== null;
  const measured = measurement(variant, facts);
  const passed = unusable(variant, facts, tried);
  const best = isGraph && measured === undefined ? 'what serves this here' : 'the fastest here';
  const why = [
    request.engine === 'auto' ? best : 'as asked',
    ...(passed.length > 0 ? [` without ${passed.join(', ')}`] : []),
    ...(measured !== undefined
      ? [`: ${measured}`]
      : isBf16
        ? [`: the processor has ${processor.bf16}`]
        : !isGraph && request.precision === 'auto' && processor.bf16 === null
          ? [`: ${noUnits(processor)}`]
          : []),
  ].join('');
  const details = isBf16 && !isGraph ? ['features in bf16 keep a cosine to fp32 of 0.9998 or more'] : [];
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
  if (best !== undefined && facts.isGraph === true)
    return `It may be faster with ${best.engine}, which is then measured: npx permafrost engines add ${best.engine}.`;
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
