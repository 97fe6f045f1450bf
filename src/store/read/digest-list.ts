import type { Digests } from './row-targets.ts';

/** SHA-256, added one by one: 32 bytes each, where the texts of a million take 80 MB. */
export interface DigestList extends Digests {
  /** Bytes that the list takes. */
  readonly bytes: number;
  push(sha256: string): void;
}

/** Digests of a chunk. */
const CHUNK = 4096;
const BYTES = 32;

/** An empty list. What is added is 64 hex digits, and comes back in lower case. */
export function digestList(): DigestList {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    get bytes() {
      return chunks.length * CHUNK * BYTES;
    },
    push(sha256) {
      const at = length++ % CHUNK;
      if (at === 0) chunks.push(Buffer.alloc(CHUNK * BYTES));
      chunks.at(-1)!.write(sha256, at * BYTES, 'hex');
    },
    at(i) {
      const from = (i % CHUNK) * BYTES;
      return i < length ? chunks[Math.floor(i / CHUNK)]!.toString('hex', from, from + BYTES) : undefined;
    },
  };
}
