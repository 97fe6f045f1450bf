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

/** The option `memory` of train. */
export const MEMORY_OPTION: OptionSpec<string> = {
  default: '',
  describe:
    'memory that training may take, such as 2GB; features that need more are read in streams; empty: only those above 4 GiB are',
  accepts: 'a size such as 500MB, 2GB or 1.5GiB',
  kind: 'string',
  check: (value) => typeof value === 'string' && (value === '' || bytesOf(value) !== undefined),
};

/** The bytes of a checked value of MEMORY_OPTION; undefined for the empty one. */
export const memoryBound = (value: string): number | undefined => bytesOf(value);

/** What Node and ONNX Runtime take before the first feature is read, measured 0.2 GB, and what a fit keeps beside the features. */
export const BASE_BYTES = 350e6;

/** A size in the unit of the option. */
export const inGigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Throws OPTION_INVALID where reading in streams itself needs more than the bound. */
export function checkBound(bound: number | undefined, needed: number): void {
  if (bound === undefined || needed <= bound) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `train: memory is ${inGigabytes(bound)}, and reading these features a shard at a time takes ${inGigabytes(needed)}. Give more, use --pooling avg, or extract with a smaller --shard-megabytes.`,
  );
}
