import { POOLINGS, type Pooling } from '../../core/sample.ts';
import { contentIndex } from '../format/content-index.ts';
import { decoderOf, newestFirst, poolingsOf } from '../format/manifest.ts';
import type { WantedSet } from '../read/stored-parts.ts';
import { shardRows } from '../read/shards.ts';

/** Contents of which a store has all features that are wanted, ascending by digest. */
export interface HeldContents {
  /** SHA-256 of each, 32 bytes, shape (contents, 32). */
  readonly digests: Buffer;
  /** The oldest version of the decoder that read some of its features, shape (contents). */
  readonly decoders: Uint8Array;
}

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;

/** Poolings as bits. */
export const bitsOf = (poolings: readonly Pooling[]): number =>
  poolings.reduce((bits, pooling) => bits | (1 << POOLINGS.indexOf(pooling)), 0);

const grown = (bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> => {
  if (length <= bytes.length) return bytes;
  const more = new Uint8Array(Math.max(2 * bytes.length, length));
  more.set(bytes);
  return more;
};

/** Of contents that need no features: no decoder makes them outdated. */
const NEVER_OUTDATED = 255;

/**
 * The contents that every one of some sets holds in all wanted poolings, and `others`, which count as held. About 80
 * bytes a content while it looks.
 */
export async function heldContents(
  store: string,
  wanted: readonly WantedSet[],
  others: Iterable<string> = [],
): Promise<HeldContents> {
  const index = contentIndex();
  let oldest: Uint8Array<ArrayBuffer> | undefined;
  for (const { set, poolings } of wanted) {
    const all = bitsOf(poolings);
    let bits = new Uint8Array(256);
    let decoders = new Uint8Array(256);
    // The newest first: the shard that completes a content has the oldest decoder of those it needs.
    for (const shard of newestFirst(set)) {
      const more = bitsOf(poolingsOf(shard));
      for await (const { sha256 } of shardRows(store, shard)) {
        const number = index.add(sha256);
        [bits, decoders] = [grown(bits, number + 1), grown(decoders, number + 1)];
        bits[number]! |= more;
        if ((bits[number]! & all) === all && decoders[number] === 0) decoders[number] = decoderOf(shard);
      }
    }
    const before = oldest;
    oldest = before === undefined ? decoders : decoders.map((decoder, n) => Math.min(decoder, before[n] ?? 0));
  }
  let decoders = oldest ?? new Uint8Array();
  for (const sha256 of others) {
    const number = index.add(sha256);
    decoders = grown(decoders, number + 1);
    decoders[number] = NEVER_OUTDATED;
  }
  return sorted(
    index.size,
    (n) => decoders[n] ?? 0,
    (n) => index.digestOf(n),
  );
}

/** The contents whose decoder is not 0, in the order of their digests. */
function sorted(size: number, decoderAt: (n: number) => number, digestOf: (n: number) => string): HeldContents {
  const held: number[] = [];
  for (let n = 0; n < size; n++) if (decoderAt(n) > 0) held.push(n);
  const unordered = Buffer.alloc(DIGEST_BYTES * held.length);
  held.forEach((n, i) => unordered.write(digestOf(n), DIGEST_BYTES * i, 'hex'));
  const compare = (a: number, b: number): number =>
    unordered.compare(unordered, DIGEST_BYTES * b, DIGEST_BYTES * (b + 1), DIGEST_BYTES * a, DIGEST_BYTES * (a + 1));
  const order = Uint32Array.from(held.keys()).sort(compare);
  const digests = Buffer.alloc(unordered.length);
  order.forEach((from, to) => {
    unordered.copy(digests, DIGEST_BYTES * to, DIGEST_BYTES * from, DIGEST_BYTES * (from + 1));
  });
  return { digests, decoders: Uint8Array.from(order, (i) => decoderAt(held[i]!)) };
}

/** What is known of contents without their features: that they need not be extracted. */
export interface HeldElsewhere {
  /** The oldest version of the decoder that read a content's features; 0 where it is not held. */
  decoderOf(sha256: string): number;
}

/** Looks contents up, by halving. */
export function heldElsewhere({ digests, decoders }: HeldContents): HeldElsewhere {
  const wanted = Buffer.alloc(DIGEST_BYTES);
  return {
    decoderOf(sha256) {
      wanted.write(sha256, 'hex');
      let [from, to] = [0, decoders.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        const order = digests.compare(wanted, 0, DIGEST_BYTES, DIGEST_BYTES * middle, DIGEST_BYTES * (middle + 1));
        if (order === 0) return decoders[middle]!;
        if (order < 0) from = middle + 1;
        else to = middle;
      }
      return 0;
    },
  };
}
