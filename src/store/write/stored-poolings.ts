import type { Pooling } from '../../core/sample.ts';
import type { FeatureSet } from '../format/manifest.ts';
import { decoderOf, newestFirst, poolingsOf } from '../format/manifest.ts';
import { shardRows } from '../read/shards.ts';
import { bitsOf } from './held-contents.ts';
import type { KnownRows } from './known-rows.ts';

/** The poolings that a set holds of each content, by its number: a bit a pooling. */
export interface StoredPoolings {
  of(content: number): number;
  /** As `of`, of what this version of the decoder or a later one read. */
  since(content: number, decoder: number): number;
  add(content: number, bits: number, decoder: number): void;
  /** Takes away what decoders before this version read; true where there was some. */
  forget(content: number, before: number): boolean;
}

function noPoolings(): StoredPoolings {
  /** A byte a content, for each version of the decoder. */
  const masks = new Map<number, Uint8Array>();
  return {
    of: (content) => bitsIn(content, 0),
    since: bitsIn,
    add(content, bits, decoder) {
      let mask = masks.get(decoder) ?? new Uint8Array(256);
      if (content >= mask.length) {
        const more = new Uint8Array(Math.max(2 * mask.length, content + 1));
        more.set(mask);
        mask = more;
      }
      mask[content]! |= bits;
      masks.set(decoder, mask);
    },
    forget(content, before) {
      let some = false;
      for (const [decoder, mask] of masks) {
        if (decoder >= before || (mask[content] ?? 0) === 0) continue;
        mask[content] = 0;
        some = true;
      }
      return some;
    },
  };

  function bitsIn(content: number, since: number): number {
    let bits = 0;
    for (const [decoder, mask] of masks) if (decoder >= since) bits |= mask[content] ?? 0;
    return bits;
  }
}

/** What the shards of a set hold; their contents are added to `known`. */
export async function storedPoolings(store: string, set: FeatureSet, known: KnownRows): Promise<StoredPoolings> {
  const stored = noPoolings();
  // The newest last: what it read in a header counts.
  for (const shard of newestFirst(set).toReversed()) {
    const bits = bitsOf(poolingsOf(shard));
    for await (const row of shardRows(store, shard)) stored.add(known.add(row), bits, decoderOf(shard));
  }
  return stored;
}

/** Whether `stored` holds a content in all of some poolings, read by this version of the decoder or a later one. */
export const holdsIn =
  (stored: StoredPoolings, known: KnownRows) =>
  (sha256: string, poolings: readonly Pooling[], decoder: number): boolean => {
    const content = known.find(sha256);
    return content >= 0 && (bitsOf(poolings) & ~stored.since(content, decoder)) === 0;
  };
