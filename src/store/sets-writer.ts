import { selectRows } from '../core/matrix.ts';
import type { FeatureBatch, Pooling } from '../core/sample.ts';
import { poolingsOf, type FeatureSet } from './manifest.ts';
import type { WantedSet } from './parts.ts';
import { shardRows } from './reader.ts';
import { idOf, type StoredSample } from './shard.ts';
import { featureWriter, type FeatureWriter, type WriterOptions } from './writer.ts';

/** What is extracted, and what of it each set has: an image goes into those of the wanted sets that lack it, and in the poolings that they lack. */
export interface SetsWriter {
  /** The row of a content that every wanted set holds in every wanted pooling; undefined where one lacks anything of it. */
  known(sha256: string): StoredSample | undefined;
  /** Adds features: `batches[i]` are those of the i-th wanted set, all of the same images. Throws FEATURE_OVERFLOW or STORE_WRITE. */
  append(batches: readonly FeatureBatch[]): Promise<void>;
  /** Makes all that was appended durable, in every set. */
  seal(): Promise<void>;
}

export interface SetsWriterOptions extends Omit<WriterOptions, 'set' | 'poolings'> {
  readonly wanted: readonly WantedSet[];
}

/** The poolings that a set holds of each content. */
type Held = Map<string, readonly Pooling[]>;

async function heldOf(store: string, set: FeatureSet, rowOf: Map<string, StoredSample>): Promise<Held> {
  const held: Held = new Map();
  for (const shard of set.shards) {
    const poolings = poolingsOf(shard);
    for await (const row of shardRows(store, shard)) {
      const before = held.get(row.sha256);
      // Rows of one shard share one list: a million of them cost no more.
      held.set(row.sha256, before === undefined ? poolings : [...before, ...poolings]);
      rowOf.set(row.sha256, row);
    }
  }
  return held;
}

/** The rows of a batch by what the set lacks of them: mostly all in one group. */
function byLack(batch: FeatureBatch, poolings: readonly Pooling[], held: Held): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [i, { sha256 }] of batch.rows.entries()) {
    const has = held.get(sha256) ?? [];
    const lacking = poolings.filter((pooling) => !has.includes(pooling)).join('+');
    groups.set(lacking, [...(groups.get(lacking) ?? []), i]);
  }
  groups.delete('');
  return groups;
}

function rowsOf({ rows, features }: FeatureBatch, at: readonly number[]): FeatureBatch {
  if (at.length === rows.length) return { rows, features };
  return {
    rows: at.map((i) => rows[i]!),
    features: new Map([...features].map(([pooling, m]) => [pooling, selectRows(m, at)])),
  };
}

/**
 * A writer for several sets of a store. Each set seals its own shards, so a killed run may leave one set further than another: the next
 * run gives each what it lacks. Reads the rows of the wanted sets.
 */
export async function setsWriter(options: SetsWriterOptions): Promise<SetsWriter> {
  const { wanted, ...common } = options;
  const rowOf = new Map<string, StoredSample>();
  const held: Held[] = [];
  for (const { set } of wanted) held.push(await heldOf(options.store, set, rowOf));
  const writers = new Map<string, FeatureWriter>();

  function writerOf(i: number, lacking: string): FeatureWriter {
    const { set, poolings } = wanted[i]!;
    const key = `${i} ${lacking}`;
    const found = writers.get(key);
    if (found !== undefined) return found;
    const names = lacking.split('+');
    const made = featureWriter({ ...common, set, poolings: poolings.filter((p) => names.includes(p)) });
    writers.set(key, made);
    return made;
  }

  return {
    known(sha256) {
      const isWhole = wanted.every(({ poolings }, i) => {
        const has = held[i]!.get(sha256);
        return has !== undefined && poolings.every((pooling) => has.includes(pooling));
      });
      return isWhole ? rowOf.get(sha256) : undefined;
    },
    async append(batches) {
      for (const [i, batch] of batches.entries()) {
        for (const [lacking, at] of byLack(batch, wanted[i]!.poolings, held[i]!))
          await writerOf(i, lacking).append(rowsOf(batch, at));
      }
      for (const row of batches[0]?.rows ?? []) {
        rowOf.set(row.sha256, { id: idOf(row.sha256), ...row });
        for (const [i, { poolings }] of wanted.entries()) {
          const before = held[i]!.get(row.sha256);
          held[i]!.set(row.sha256, before === undefined ? poolings : [...before, ...poolings]);
        }
      }
    },
    async seal() {
      const failures: unknown[] = [];
      // One set that cannot be written must not cost what another has.
      for (const writer of writers.values())
        await writer.seal().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
  };
}
