import { selectRows } from '../../core/matrix.ts';
import { POOLINGS, type FeatureBatch, type ImageFacts, type Pooling } from '../../core/sample.ts';
import { knownRows, type KnownRows } from './known-rows.ts';
import { decoderOf, newestFirst, poolingsOf, type FeatureSet, type FeatureSetDraft } from '../format/manifest.ts';
import type { WantedSet } from '../read/stored-parts.ts';
import { shardRows } from '../read/shards.ts';
import { bitsOf, type HeldElsewhere } from './held-contents.ts';
import { featureWriter, type FeatureWriter, type WriterOptions } from './writer.ts';

/** Writes each extracted image into the wanted sets that lack it, in the poolings that they lack. */
export interface SetsWriter {
  /** Contents that a wanted set holds. */
  readonly known: KnownRows;
  /** Contents that count no more, as an older decoder read them otherwise. */
  readonly outdated: number;
  /**
   * Whether every wanted set holds a content in every wanted pooling, read by `decoder` or a later version, or another
   * store does. What older ones made of it counts no more.
   */
  isKnown(sha256: string, decoder?: number): boolean;
  /** The first of the wanted sets that lacks a content in some wanted pooling; their number where none does. */
  firstLacking(sha256: string, decoder?: number): number;
  /** The wanted poolings that set i lacks of a content, as `isKnown` counts. */
  lackingIn(i: number, sha256: string, decoder?: number): readonly Pooling[];
  /** Takes note of a row that set i was given in all wanted poolings by other means. */
  note(i: number, row: ImageFacts): void;
  /**
   * Adds features of the same images, `batches[i]` to the i-th set. A shard holds images of one `unit` of the listing:
   * the first of another one ends all that are open. Throws FEATURE_OVERFLOW or STORE_WRITE.
   */
  append(batches: readonly (FeatureBatch | undefined)[], unit?: number): Promise<void>;
  /** Makes all that was appended durable, in every set. */
  seal(): Promise<void>;
}

/** A set that rows are added to, and the poolings that are meant. */
export interface WantedDraft extends WantedSet {
  readonly set: FeatureSetDraft;
}

export interface SetsWriterOptions extends Omit<WriterOptions, 'set' | 'poolings'> {
  readonly wanted: readonly WantedDraft[];
  /** Contents whose features another store has: they count as known here, and are not written. */
  readonly elsewhere?: HeldElsewhere | undefined;
}

const bitOf = (pooling: Pooling): number => bitsOf([pooling]);

/** The poolings that a set holds of each content, by its number: a bit a pooling. */
interface StoredPoolings {
  of(content: number): number;
  add(content: number, bits: number, decoder: number): void;
  /** Takes away what decoders before this version read; true where there was some. */
  forget(content: number, before: number): boolean;
}

function noPoolings(): StoredPoolings {
  /** A byte a content, for each version of the decoder. */
  const masks = new Map<number, Uint8Array>();
  return {
    of(content) {
      let bits = 0;
      for (const mask of masks.values()) bits |= mask[content] ?? 0;
      return bits;
    },
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
}

async function storedPoolings(store: string, set: FeatureSet, known: KnownRows): Promise<StoredPoolings> {
  const stored = noPoolings();
  // The newest last: what it read in a header counts.
  for (const shard of newestFirst(set).toReversed()) {
    const bits = bitsOf(poolingsOf(shard));
    for await (const row of shardRows(store, shard)) stored.add(known.add(row), bits, decoderOf(shard));
  }
  return stored;
}

/** The rows of a batch by what the set lacks of them, as bits: mostly all in one group. */
function byLack({ rows }: FeatureBatch, bits: number, stored: StoredPoolings, known: KnownRows): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const [i, { sha256 }] of rows.entries()) {
    const lacking = bits & ~stored.of(known.find(sha256));
    const group = groups.get(lacking);
    if (group === undefined) groups.set(lacking, [i]);
    else group.push(i);
  }
  groups.delete(0);
  return groups;
}

function rowsOf({ rows, features }: FeatureBatch, at: readonly number[]): FeatureBatch {
  if (at.length === rows.length) return { rows, features };
  return {
    rows: at.map((i) => rows[i]!),
    features: new Map([...features].map(([pooling, m]) => [pooling, selectRows(m, at)])),
  };
}

/** A writer for several sets, each with its own shards. After a killed run the next gives each what it lacks. */
export async function setsWriter(options: SetsWriterOptions): Promise<SetsWriter> {
  const { wanted, elsewhere, ...common } = options;
  const known = knownRows();
  const stored: StoredPoolings[] = [];
  for (const { set } of wanted) stored.push(await storedPoolings(options.store.path, set, known));
  const bits = wanted.map(({ poolings }) => bitsOf(poolings));
  const writers = new Map<string, FeatureWriter>();
  let outdated = 0;
  let openUnit: number | undefined;

  function writerOf(i: number, lacking: number): FeatureWriter {
    const { set, poolings } = wanted[i]!;
    const key = `${i} ${lacking}`;
    const found = writers.get(key);
    if (found !== undefined) return found;
    const made = featureWriter({
      ...common,
      set,
      poolings: poolings.filter((pooling) => (lacking & bitOf(pooling)) !== 0),
    });
    writers.set(key, made);
    return made;
  }

  /** The number of a content, of which older decoders' rows count no more; -1 where no set holds it. */
  function contentOf(sha256: string, decoder: number): number {
    const content = known.find(sha256);
    if (content >= 0 && stored.filter((held) => held.forget(content, decoder)).length > 0) outdated++;
    return content;
  }

  function firstLacking(sha256: string, decoder = 1): number {
    const content = contentOf(sha256, decoder);
    if (content < 0) return 0;
    const lacking = bits.findIndex((all, i) => (all & ~stored[i]!.of(content)) !== 0);
    return lacking < 0 ? bits.length : lacking;
  }

  return {
    known,
    get outdated() {
      return outdated;
    },
    isKnown: (sha256, decoder = 1) =>
      (elsewhere?.decoderOf(sha256) ?? 0) >= decoder || firstLacking(sha256, decoder) === bits.length,
    firstLacking,
    lackingIn(i, sha256, decoder = 1) {
      const content = contentOf(sha256, decoder);
      const lacking = content < 0 ? bits[i]! : bits[i]! & ~stored[i]!.of(content);
      return POOLINGS.filter((pooling) => (lacking & bitOf(pooling)) !== 0);
    },
    note(i, row) {
      stored[i]!.add(known.add(row), bits[i]!, options.decoder ?? 1);
    },
    async append(batches, unit) {
      if (unit !== openUnit) for (const writer of writers.values()) await writer.endShard();
      openUnit = unit;
      for (const [i, batch] of batches.entries()) {
        if (batch === undefined) continue;
        for (const [lacking, at] of byLack(batch, bits[i]!, stored[i]!, known))
          await writerOf(i, lacking).append(rowsOf(batch, at));
      }
      for (const row of batches.find((batch) => batch !== undefined)?.rows ?? []) {
        const content = known.add(row);
        for (const [i, all] of bits.entries())
          if (batches[i] !== undefined) stored[i]!.add(content, all, options.decoder ?? 1);
      }
    },
    async seal() {
      const failures: unknown[] = [];
      // One set that cannot be written must not cost what another has.
      for (const writer of writers.values()) await writer.seal().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
}
