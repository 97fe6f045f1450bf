import { inGigabytes, parseBytes } from '../core/words.ts';
import { PermafrostError } from '../core/errors.ts';
import type { OptionSpec } from '../core/options.ts';
import { availableMemory } from './available-memory.ts';
import type { Work } from './work.ts';

const HALF = 'half';
/** Half of less is not used: below it no command works well. */
const LEAST_BYTES = 1e9;

/** An option `memory`: how much of it a command may take. */
export const memoryOption = (describe: string): OptionSpec<string> => ({
  default: HALF,
  describe,
  accepts: 'a size such as 500MB, 2GB or 1.5GiB, or half: of what is available',
  kind: 'string',
  check: (value) => typeof value === 'string' && (value === HALF || parseBytes(value) !== undefined),
});

/** The option `memory` of the commands that search. */
export const SEARCH_MEMORY_OPTION = memoryOption('memory that the search may take; refused where it needs more');

/** Half of the memory that is available; 1 GB where that is more, or what there is. */
export const halfOf = (available: number): number => Math.max(available / 2, Math.min(available, LEAST_BYTES));

/** The bytes of a checked value of such an option. A bound chosen for the user is reported. */
export function memoryBound(value: string, { listener }: Work = {}): number {
  const given = parseBytes(value);
  if (given !== undefined) return given;
  const available = availableMemory();
  const bound = halfOf(available);
  const [chosen, all] = [bound, available].map((bytes) => (bytes / 1e9).toFixed(1));
  const share = bound > available / 2 ? `of ${all} GB that are` : 'half of what is';
  listener?.note?.(`memory: ${chosen} GB, ${share} available (--memory).`);
  return bound;
}

/** Measured: Node and ONNX Runtime take 0.2 GB before the first feature; the rest is what a fit keeps. */
export const BASE_BYTES = 350e6;

/** What VGG16 takes while it is loaded for one picture at a time, by ONNX Runtime in float32: measured 0.28 GB. */
export const NETWORK_BYTES = 300e6;

/** Throws OPTION_INVALID where what `what` names takes more than the bound. */
export function checkBound(owner: string, bound: number, needed: number, what: string, advice: string): void {
  if (needed <= bound) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${owner}: memory is ${inGigabytes(bound)}, and ${what} takes ${inGigabytes(needed)}. ${advice}`,
  );
}

/** Throws OPTION_INVALID where reading streams itself needs more than the bound; `memory` is theirs. */
export function checkStreamBound(owner: string, bound: number, memory: number): void {
  const advice = 'Give more, use --pooling avg, or extract with a smaller --shard-megabytes.';
  checkBound(owner, bound, BASE_BYTES + memory, 'reading these features a shard at a time', advice);
}
