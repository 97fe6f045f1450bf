import { join } from 'node:path';
import { DEFAULT_POOLINGS, type FeatureBatch, type Pooling } from '../../core/sample.ts';
import { removeFile, writeFileAtomic } from '../format/atomic-file.ts';
import type { FeatureSetDraft, FileEntry, ShardEntry, StoreDraft } from '../format/manifest.ts';
import { writeManifest } from '../format/manifest-file.ts';
import { encodeShard, type FeatureColumn } from '../format/shard.ts';
import { writeUnsealed } from '../format/unsealed-file.ts';
import { openShard } from './open-shard.ts';
import { setStem, shardNumber, shardStem, writeSeal } from './shard-files.ts';
import { mostRows } from './shard-rows.ts';
import { rowsOfKept, type KeptRows } from './unsealed-rows.ts';

export interface WriterOptions {
  /** The writer keeps its manifest up to date, on disk and in memory. */
  readonly store: StoreDraft;
  /** The set of its manifest that rows are added to. */
  readonly set: FeatureSetDraft;
  /** The poolings that its shards get; every batch must have them. Default: DEFAULT_POOLINGS. */
  readonly poolings?: readonly Pooling[];
  /** Rows to come at most: keeps the buffers of a small data set small. */
  readonly expectedRows: number;
  /** Bytes of features a shard file (default 64 MiB, at most 256 MiB): the most that a kill loses. */
  readonly shardBytes?: number;
  /** The version of the decoder that the images were read with (default 1). */
  readonly decoder?: number;
  /** Rows of a shard that is open for long are kept. Default: never, as who writes has them elsewhere too. */
  readonly keeping?: Keeping | undefined;
  /** What was kept of the shard that is open, by a writer before this one of the same set, poolings and decoder. */
  readonly kept?: KeptRows | undefined;
}

/** When rows of a shard that is not sealed are kept in a file of their own. */
export interface Keeping {
  /** Milliseconds since the first row that is not kept. */
  readonly afterMs: number;
  /** The time in milliseconds. */
  readonly now: () => number;
}

/** So a kill costs half a minute, the images that are in the network, and no more. */
export const KEEPING: Keeping = { afterMs: 30_000, now: () => performance.now() };

export interface FeatureWriter {
  /**
   * Adds rows, all of one `unit` of the listing; seals a shard when it is full, and keeps the rows of one that is open
   * for long. Throws FEATURE_OVERFLOW or STORE_WRITE; sealed shards stay.
   */
  append(batch: FeatureBatch, unit?: number): Promise<void>;
  /** Seals the shard that is open, so that rows to come stand in another. Throws STORE_WRITE. */
  endShard(): Promise<void>;
  /** Makes all that was appended durable, and leaves the shard open for a writer after this one. Throws STORE_WRITE. */
  keep(): Promise<void>;
  /** Makes all that was appended durable, and the manifest name it. */
  seal(): Promise<void>;
}

/**
 * Shards that the manifest does not name yet, as a share of all, before it is written anew. Each shard then costs the
 * writing of nine entries or fewer; up to eight shards, each is written.
 */
const UNLISTED_SHARE = 1 / 8;

/**
 * A writer of one set's shards: Arrow files (rows, and one a pooling) and their seal, all in place before the manifest
 * names them. Later shards are named a few at a time; until then their seals count (takeUpSealed).
 */
export function featureWriter(options: WriterOptions): FeatureWriter {
  const { store, set, decoder = 1, keeping, kept } = options;
  const { settings } = set;
  const poolings: readonly Pooling[] = options.poolings ?? DEFAULT_POOLINGS;
  const before = rowsOfKept(kept);
  const most = mostRows({ ...set, poolings }, options.shardBytes);
  // What was kept of a shard stands in one, also where the sizes of shards are others now.
  const capacity = Math.max(1, before, Math.min(options.expectedRows + before, most));
  const open = openShard(set, poolings, capacity);
  /** Files that hold the first `keptRows` rows of the open shard; `keptFrom` is the first row of the next one. */
  let files = [...(kept?.names ?? [])];
  for (const some of kept?.parts ?? []) open.takeUp(some);
  let keptRows = before;
  let keptFrom = kept?.end ?? 0;
  let unkeptSince: number | undefined;
  let openUnit: number | null = kept?.unit ?? null;
  /** Shards of this writer that the manifest on disk does not name. */
  let unlisted = 0;
  let nextNumber = 0;
  let numbered = 0;

  /** The number of the next shard: above all that the set has, so that no file is ever written twice. */
  function next(): number {
    for (; numbered < set.shards.length; numbered++)
      nextNumber = Math.max(nextNumber, shardNumber(set.shards[numbered]!) + 1);
    return nextNumber;
  }

  async function list(): Promise<void> {
    await writeManifest(store);
    unlisted = 0;
  }

  const isListingDue = (): boolean =>
    set.shards.length === 1 ||
    unlisted >= UNLISTED_SHARE * store.manifest.sets.reduce((sum, { shards }) => sum + shards.length, 0);

  async function write(name: string, column: FeatureColumn | undefined): Promise<FileEntry> {
    const metadata = new Map([['permafrost', JSON.stringify({ fingerprint: set.fingerprint, settings })]]);
    return { name, ...(await writeFileAtomic(join(store.path, name), encodeShard(open.rows, column, metadata))) };
  }

  async function sealShard(): Promise<void> {
    if (open.rows.length === 0) return;
    const stem = shardStem(set, next());
    const written: { -readonly [K in keyof ShardEntry['files']]: ShardEntry['files'][K] } = {
      rows: await write(`${stem}-rows.arrow`, undefined),
    };
    for (const pooling of open.poolings)
      written[pooling] = await write(`${stem}-${pooling}.arrow`, open.column(pooling));
    const shard: FeatureSetDraft['shards'][number] = {
      rows: open.rows.length,
      ...(decoder > 1 && { decoder }),
      layout: 2,
      files: written,
    };
    await writeSeal(store.path, set, shard);
    set.shards.push(shard);
    unlisted++;
    try {
      if (isListingDue()) await list();
    } catch (error) {
      // The rows are held, and the next seal writes them again under the same names.
      set.shards.pop();
      unlisted--;
      throw error;
    }
    open.clear();
    [keptRows, keptFrom, unkeptSince] = [0, 0, undefined];
    // Last: until the shard is sealed they are all that a kill would leave.
    for (const name of files) await removeFile(join(store.path, name));
    files = [];
  }

  async function keep(): Promise<void> {
    const rows = open.rows.slice(keptRows);
    if (rows.length === 0) return;
    const values = new Map(open.poolings.map((pooling) => [pooling, open.column(pooling, keptRows).values] as const));
    const some = { fingerprint: set.fingerprint, decoder, unit: openUnit, from: keptFrom, rows, values };
    files.push(await writeUnsealed(store.path, setStem(set), some));
    [keptRows, keptFrom, unkeptSince] = [open.rows.length, keptFrom + rows.length, undefined];
  }

  return {
    async append(batch, unit) {
      for (const i of batch.rows.keys()) {
        if (open.isFull) await sealShard(); // Full still: the seal before has failed.
        openUnit = unit ?? null;
        open.add(batch, i);
        unkeptSince ??= keeping?.now();
        if (open.isFull) await sealShard();
      }
      if (keeping !== undefined && unkeptSince !== undefined && keeping.now() - unkeptSince >= keeping.afterMs)
        await keep();
    },
    endShard: sealShard,
    keep,
    async seal() {
      await sealShard();
      if (unlisted > 0) await list();
    },
  };
}
