import { selectRows } from '../../core/matrix.ts';
import { POOLINGS, type FeatureBatch, type ImageFacts, type Pooling } from '../../core/sample.ts';
import { knownRows, type KnownRows } from './known-rows.ts';
import type { FeatureSetDraft } from '../format/manifest.ts';
import type { WantedSet } from '../read/stored-parts.ts';
import { bitsOf, type HeldElsewhere } from './held-contents.ts';
import { holdsIn, storedPoolings, type StoredPoolings } from './stored-poolings.ts';
import { keptShards, type KeptShard } from './unsealed-rows.ts';
import { KEEPING, featureWriter, type FeatureWriter, type WriterOptions } from './writer.ts';

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
  /** As `seal`, but leaves the shards open: who takes the rows up again ends them where they would have ended. */
  keep(): Promise<void>;
  /** Makes all that was appended durable, in every set. */
  seal(): Promise<void>;
}

/** A set that rows are added to, and the poolings that are meant. */
export interface WantedDraft extends WantedSet {
  readonly set: FeatureSetDraft;
}

export interface SetsWriterOptions extends Omit<WriterOptions, 'set' | 'poolings' | 'kept'> {
  readonly wanted: readonly WantedDraft[];
  /**
   * True where rows are extracted: those that a killed or interrupted extraction kept count as known, and are sealed
   * with what comes, if one of them is asked for; rows of shards that are open for long are kept in turn. The caller
   * must end with `seal` or `keep`. Default: false.
   */
  readonly goesOn?: boolean;
  /** Contents whose features another store has: they count as known here, and are not written. */
  readonly elsewhere?: HeldElsewhere | undefined;
}

const bitOf = (pooling: Pooling): number => bitsOf([pooling]);

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

/** A writer of one set, for rows that lack the same poolings. */
interface Part {
  /** By this the shards of a set are ended in one order, whatever was killed before. */
  readonly order: readonly [set: number, lacking: number, decoder: number];
  readonly writer: FeatureWriter;
  /** The unit that its open shard is of. */
  unit: number | null;
  /** False while all that it has was kept of images that this extraction has not met: of another data set. */
  isMet: boolean;
}

/** A writer for several sets, each with its own shards. After a killed run the next gives each what it lacks. */
export async function setsWriter(options: SetsWriterOptions): Promise<SetsWriter> {
  const { wanted, elsewhere, goesOn = false, keeping = goesOn ? KEEPING : undefined, ...rest } = options;
  const common = { ...rest, keeping };
  const known = knownRows();
  const stored: StoredPoolings[] = [];
  for (const { set } of wanted) stored.push(await storedPoolings(options.store.path, set, known));
  const bits = wanted.map(({ poolings }) => bitsOf(poolings));
  const parts = new Map<string, Part>();
  let outdated = 0;
  /** The parts that a content was kept in. */
  const keptIn = new Map<number, Part[]>();

  function addPart(i: number, poolings: readonly Pooling[], decoder: number | undefined, kept?: KeptShard): Part {
    const order = [i, bitsOf(poolings), decoder ?? 1] as const;
    const writer = featureWriter({
      ...common,
      ...(decoder !== undefined && { decoder }),
      set: wanted[i]!.set,
      poolings,
      kept,
    });
    const made: Part = { order, writer, unit: kept?.unit ?? null, isMet: kept === undefined };
    parts.set(order.join(), made);
    return made;
  }

  function partOf(i: number, lacking: number): Part {
    const { decoder } = options;
    const found = parts.get([i, lacking, decoder ?? 1].join());
    const poolings = wanted[i]!.poolings.filter((pooling) => (lacking & bitOf(pooling)) !== 0);
    return found ?? addPart(i, poolings, decoder);
  }

  /** The parts that this extraction has to do with, in the one order. */
  const metParts = (): Part[] =>
    [...parts.values()]
      .filter(({ isMet }) => isMet)
      .sort((a, b) => a.order.map((at, n) => at - b.order[n]!).find((difference) => difference !== 0) ?? 0);

  /** Ends each of the writers in the same way: one set that cannot be written must not cost what another has. */
  async function endAll(end: (writer: FeatureWriter) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    for (const { writer } of metParts()) await end(writer).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Goes on where an extraction was killed or interrupted. */
  async function takeUp(): Promise<void> {
    for (const [i, { set }] of wanted.entries()) {
      for (const kept of await keptShards(options.store.path, set, holdsIn(stored[i]!, known))) {
        const part = addPart(i, kept.poolings, kept.decoder, kept);
        for (const row of kept.parts.flatMap(({ rows }) => rows)) {
          const content = known.add(row);
          stored[i]!.add(content, bitsOf(kept.poolings), kept.decoder);
          keptIn.set(content, [...(keptIn.get(content) ?? []), part]);
        }
      }
    }
  }
  if (goesOn) await takeUp();

  /** The number of a content, of which older decoders' rows count no more; -1 where no set holds it. */
  function contentOf(sha256: string, decoder: number): number {
    const content = known.find(sha256);
    for (const part of keptIn.get(content) ?? []) part.isMet = true;
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
      const at = unit ?? null;
      for (const part of metParts()) if (part.unit !== at) await part.writer.endShard();
      for (const [i, batch] of batches.entries()) {
        if (batch === undefined) continue;
        for (const [lacking, rows] of byLack(batch, bits[i]!, stored[i]!, known)) {
          const part = partOf(i, lacking);
          if (!part.isMet && part.unit !== at) await part.writer.endShard();
          Object.assign(part, { unit: at, isMet: true });
          await part.writer.append(rowsOf(batch, rows), unit);
        }
      }
      for (const row of batches.find((batch) => batch !== undefined)?.rows ?? []) {
        const content = known.add(row);
        for (const [i, all] of bits.entries())
          if (batches[i] !== undefined) stored[i]!.add(content, all, options.decoder ?? 1);
      }
    },
    keep: () => endAll((writer) => writer.keep()),
    seal: () => endAll((writer) => writer.seal()),
  };
}
