import { PermafrostError } from '../core/errors.ts';
import type { OptionSpec } from '../core/options.ts';

const UNITS: Readonly<Record<string, number>> = {
  MB: 1e6,
  GB: 1e9,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

function bytesOf(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmgt]i?b)$/i.exec(text.trim()) ?? [];
  const scale = UNITS[unit?.toUpperCase() ?? ''];
  return scale === undefined ? undefined : Number(number) * scale;
}

/**
 * An option `memory`: the same default for every command, whatever the machine has, so that the same call gives the
 * same result everywhere.
 */
export const memoryOption = (describe: string): OptionSpec<string> => ({
  default: '1GB',
  describe,
  accepts: 'a size such as 500MB, 2GB or 1.5GiB',
  kind: 'string',
  check: (value) => typeof value === 'string' && bytesOf(value) !== undefined,
});

/** The option `memory` of the commands that search. */
export const SEARCH_MEMORY_OPTION = memoryOption(
  'memory that the search may take; refused where it needs more',
);

/** The bytes of a checked value of such an option. */
export const memoryBound = (value: string): number => bytesOf(value)!;

/**
 * What Node and ONNX Runtime take before the first feature is read, measured 0.2 GB, and what a fit keeps beside the
 * features.
 */
export const BASE_BYTES = 350e6;

/** What VGG16 takes while it is loaded for one picture at a time, by ONNX Runtime in float32: measured 0.28 GB. */
export const NETWORK_BYTES = 300e6;

/** Bytes as a value of such an option, rounded down. */
export const memoryValue = (bytes: number): string => `${Math.max(0, Math.floor(bytes / 1e6))}MB`;

/** A size in the unit of the option. */
export const inGigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Throws OPTION_INVALID where what `what` names takes more than the bound. */
export function checkBound(
  owner: string,
  bound: number | undefined,
  needed: number,
  what: string,
  advice: string,
): void {
  if (bound === undefined || needed <= bound) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${owner}: memory is ${inGigabytes(bound)}, and ${what} takes ${inGigabytes(needed)}. ${advice}`,
  );
}

/** Throws OPTION_INVALID where reading streams itself needs more than the bound; `memory` is theirs (FeatureStream). */
export function checkStreamBound(owner: string, bound: number | undefined, memory: number): void {
  checkBound(
    owner,
    bound,
    BASE_BYTES + memory,
    'reading these features a shard at a time',
    'Give more, use --pooling avg, or extract with a smaller --shard-megabytes.',
  );
}
