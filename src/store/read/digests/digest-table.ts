import type { Digests } from './row-targets.ts';

/** SHA-256 by number, 32 bytes each: the texts of a million take 80 MB. */
export interface DigestTable extends Digests {
  readonly bytes: number;
  /** `sha256` is 64 hex digits, and comes back in lower case. */
  set(number: number, sha256: string): void;
}

const BYTES = 32;

export function digestTable(length: number): DigestTable {
  const table = Buffer.alloc(BYTES * length);
  return {
    length,
    bytes: table.length,
    at: (number) => (number < length ? table.toString('hex', BYTES * number, BYTES * (number + 1)) : undefined),
    set: (number, sha256) => void table.write(sha256, BYTES * number, 'hex'),
  };
}
