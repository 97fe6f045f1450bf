import { PermafrostError } from '../../core/errors.ts';

/** Contents by their SHA-256, numbered 0, 1, 2, ... in the order in which they were added. */
export interface ContentIndex {
  readonly size: number;
  /** The number of a content (64 hex digits), -1 where it was not added. */
  find(sha256: string): number;
  /** The number of the content whose SHA-256 begins with these 16 hex digits (a row's id), -1 where there is none. */
  findId(id: string): number;
  /** The number of a content, which is added where it is new. */
  add(sha256: string): number;
  digestOf(number: number): string;
}

/** Words of 32 bits in a SHA-256. */
const WORDS = 8;

/** An empty index. Typed arrays take 40 to 48 bytes a content; a Map with hex strings about 150, and collector time. */
export function contentIndex(): ContentIndex {
  let digests = new Int32Array(64 * WORDS);
  // Open addressing with linear probing, at most half full; 0 is free, n + 1 the content n. A digest's first word is
  // its hash.
  let table = new Int32Array(256);
  let size = 0;
  const scratch = Buffer.alloc(WORDS * 4);
  const wanted = new Int32Array(scratch.buffer, scratch.byteOffset, WORDS);

  function take(hex: string, words: number): void {
    const bytes = words * 4;
    if (hex.length !== 2 * bytes || scratch.write(hex, 'hex') !== bytes)
      throw new PermafrostError('STORE_CORRUPT', `${JSON.stringify(hex)} is not ${2 * bytes} hex digits of a SHA-256.`);
  }

  function isWanted(number: number, words: number): boolean {
    for (let i = 0; i < words; i++) if (digests[number * WORDS + i] !== wanted[i]) return false;
    return true;
  }

  /** The place in the table where the digest of these (first) words stands, or would stand. */
  function placeOf(hex: string, words = WORDS): number {
    take(hex, words);
    const mask = table.length - 1;
    let at = wanted[0]! & mask;
    while (table[at] !== 0 && !isWanted(table[at]! - 1, words)) at = (at + 1) & mask;
    return at;
  }

  function grow(): void {
    const more = new Int32Array(digests.length * 2);
    more.set(digests);
    digests = more;
    table = new Int32Array(table.length * 2);
    const mask = table.length - 1;
    for (let number = 0; number < size; number++) {
      let at = digests[number * WORDS]! & mask;
      while (table[at] !== 0) at = (at + 1) & mask;
      table[at] = number + 1;
    }
  }

  return {
    get size() {
      return size;
    },
    find: (sha256) => table[placeOf(sha256)]! - 1,
    findId: (id) => table[placeOf(id, 2)]! - 1,
    add(sha256) {
      const at = placeOf(sha256);
      if (table[at] !== 0) return table[at]! - 1;
      digests.set(wanted, size * WORDS);
      table[at] = ++size;
      if (size * WORDS === digests.length) grow();
      return size - 1;
    },
    digestOf(number) {
      const { buffer, byteOffset } = digests.subarray(number * WORDS);
      return Buffer.from(buffer, byteOffset, WORDS * 4).toString('hex');
    },
  };
}
