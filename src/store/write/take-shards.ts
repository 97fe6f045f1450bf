import { constants, copyFile, link, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { FeatureBatch, Pooling } from '../../core/sample.ts';
import { decodeFloat16 } from '../format/float16.ts';
import { requireHeld } from '../format/lock/held-locks.ts';
import {
  decoderOf,
  poolingsOf,
  type FeatureSet,
  type FeatureSetDraft,
  type FileEntry,
  type ShardEntry,
  type StoreDraft,
  type StoreFolder,
} from '../format/manifest.ts';
import { writeManifest } from '../format/manifest-file.ts';
import { decodeShard, type ContentRow } from '../format/shard.ts';
import { readVerified } from '../read/file.ts';
import { shardRows } from '../read/shards.ts';
import type { SetsWriter } from './sets-writer.ts';
import { shardNumber, shardStem, writeSeal } from './shard-files.ts';

/** What became of the rows and shards of another store. */
export interface Taken {
  /** Rows that a set had lacked. */
  readonly rows: number;
  /** Shards that were linked (or copied) as they are, and those of which some rows were written anew. */
  readonly linked: number;
  readonly rewritten: number;
}

/** Shards that the manifest on disk does not name are at most this share of all: until then their seals count. */
const UNLISTED_SHARE = 1 / 8;

/** A second name of a file, or where the file system has none, a copy. Throws STORE_WRITE. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    // A killed process may have left it without a seal.
    await rm(to, { force: true });
    await link(from, to).catch(async () => {
      await copyFile(from, to, constants.COPYFILE_FICLONE);
      const handle = await open(to, 'r+');
      await handle.sync().finally(() => handle.close());
    });
  } catch (cause) {
    throw new PermafrostError(
      'STORE_WRITE',
      `${to} could not be made of ${from}: ${reasonOf(cause)}. Make room or give permission, then run the same command again.`,
      { cause },
    );
  }
}

/** The features of a shard in one pooling, in float32, shape (rows, width). */
async function featuresOf(store: string, shard: ShardEntry, pooling: Pooling): Promise<Matrix> {
  const entry = shard.files[pooling]!;
  let features: Matrix | undefined;
  let at = 0;
  for (const batch of decodeShard(await readVerified(store, entry), join(store, entry.name), shard)) {
    const { width, values } = batch.features!;
    features ??= matrix(shard.rows, width);
    const target = features.data.subarray(at, at + values.length);
    if (values instanceof Uint16Array) decodeFloat16(values, target);
    else target.set(values);
    at += values.length;
  }
  return features!;
}

/** Some rows of a shard with all their features. Holds the shard in float32: twice its size of float16. */
async function batchOf(
  store: string,
  shard: ShardEntry,
  rows: readonly ContentRow[],
  at: readonly number[],
): Promise<FeatureBatch> {
  const features = new Map<Pooling, Matrix>();
  for (const pooling of poolingsOf(shard)) {
    const whole = await featuresOf(store, shard, pooling);
    const some = matrix(at.length, whole.cols);
    at.forEach((i, n) => some.data.set(whole.data.subarray(i * whole.cols, (i + 1) * whole.cols), n * whole.cols));
    features.set(pooling, some);
  }
  return { rows: at.map((i) => rows[i]!), features };
}

/**
 * Takes features out of other stores of the same settings into the sets of a writer: a shard of which every row is
 * lacking is linked as it is, of others the lacking rows are written anew. The result is the same whether or not it was
 * interrupted before. `wanted` are the sets that `writer` writes to.
 */
export function shardsTaker(store: StoreDraft, wanted: readonly FeatureSetDraft[], writer: SetsWriter) {
  let unlisted = 0;
  /** Of each set the number of its next shard, above that of the shards that were looked at. */
  const numbers = new Map<FeatureSetDraft, { next: number; seen: number }>();

  function nextNumber(set: FeatureSetDraft): number {
    const state = numbers.get(set) ?? { next: 0, seen: 0 };
    numbers.set(set, state);
    for (; state.seen < set.shards.length; state.seen++)
      state.next = Math.max(state.next, shardNumber(set.shards[state.seen]!) + 1);
    return state.next;
  }

  async function list(): Promise<void> {
    await writeManifest(store);
    unlisted = 0;
  }

  /** Makes a shard of another store the next one of a set. */
  async function adopt(from: string, set: FeatureSetDraft, { files, ...shard }: ShardEntry): Promise<void> {
    const stem = shardStem(set, nextNumber(set));
    const named: Record<string, FileEntry> = {};
    for (const [kind, entry] of Object.entries(files)) {
      const name = `${stem}-${kind}.arrow`;
      await requireHeld(store.path); // another writer's shard of this name would be removed
      await linkOrCopy(join(from, entry.name), join(store.path, name));
      named[kind] = { ...entry, name };
    }
    const adopted = { ...shard, files: named } as unknown as (typeof set.shards)[number];
    await writeSeal(store.path, set, adopted);
    set.shards.push(adopted);
    unlisted++;
    const shards = store.manifest.sets.reduce((sum, one) => sum + one.shards.length, 0);
    if (set.shards.length === 1 || unlisted >= UNLISTED_SHARE * shards) await list();
  }

  return {
    /**
     * Takes what set i lacks of the rows of `set`, which is in another store, and which `isWanted` says of. Their
     * shards end where those of `set` end. Throws STORE_WRITE, STORE_CORRUPT.
     */
    async take(i: number, from: StoreFolder, set: FeatureSet, isWanted?: (row: ContentRow) => boolean): Promise<Taken> {
      let [taken, linked, rewritten] = [0, 0, 0];
      for (const shard of set.shards) {
        const poolings = poolingsOf(shard);
        const rows: ContentRow[] = [];
        for await (const row of shardRows(from.path, shard)) rows.push(row);
        let isWhole = true;
        const lacking = [...rows.keys()].filter((n) => {
          const row = rows[n]!;
          const open = isWanted?.(row) === false ? [] : writer.lackingIn(i, row.sha256, decoderOf(shard));
          if (open.length < poolings.length) isWhole = false;
          return open.length > 0;
        });
        if (lacking.length === 0) continue;
        taken += lacking.length;
        if (isWhole) {
          await adopt(from.path, wanted[i]!, shard);
          for (const row of rows) writer.note(i, row);
          linked++;
        } else {
          const batches: (FeatureBatch | undefined)[] = wanted.map(() => undefined);
          batches[i] = await batchOf(from.path, shard, rows, lacking);
          await writer.append(batches);
          await writer.seal();
          rewritten++;
        }
      }
      return { rows: taken, linked, rewritten };
    },
    /** Makes the manifest name all that was taken. */
    async finish(): Promise<void> {
      if (unlisted > 0) await list();
    },
  };
}
export type ShardsTaker = ReturnType<typeof shardsTaker>;
