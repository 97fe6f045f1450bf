import { join } from 'node:path';
import { removeFile, writeFileAtomic } from '../format/atomic-file.ts';
import {
  isLabelled,
  type FeatureSetDraft,
  type FileEntry,
  type ShardEntry,
  type StoreDraft,
} from '../format/manifest.ts';
import { readManifest, writeManifest } from '../format/manifest-file.ts';
import { decodeShard, encodeShard, shardMetadata, type ContentRow, type FeatureColumn } from '../format/shard.ts';
import { readVerified } from '../read/file.ts';
import { sealsFirst } from '../write/leftovers.ts';
import { shardFileNames, shardNumber, shardStem, writeSeal } from '../write/shard-files.ts';

/** Bytes of shards that are there twice at most, before the manifest names the new ones and the old ones go. */
const TWICE_BYTES = 2 ** 30;

/** A file of a shard: its rows, and its features as they are stored, bit by bit. */
async function contentOf(store: string, entry: FileEntry) {
  const bytes = await readVerified(store, entry);
  const name = join(store, entry.name);
  const batches = [...decodeShard(bytes, name)];
  const rows: ContentRow[] = batches.flatMap((batch) => batch.rows);
  const width = batches.find(({ features }) => features !== undefined)?.features?.width;
  let column: FeatureColumn | undefined;
  if (width !== undefined) {
    const isHalf = batches.some(({ features }) => features?.values instanceof Uint16Array);
    const values = isHalf ? new Uint16Array(rows.length * width) : new Float32Array(rows.length * width);
    let at = 0;
    for (const { length, features } of batches) {
      values.set(features!.values.subarray(0, length * width), at);
      at += length * width;
    }
    column = { width, values };
  }
  return { rows, column, metadata: shardMetadata(bytes, name) };
}

/** Writes a shard anew under the next number of its set, without labels. Throws STORE_CORRUPT, STORE_WRITE. */
async function rewritten(
  store: string,
  set: FeatureSetDraft,
  shard: ShardEntry,
): Promise<FeatureSetDraft['shards'][number]> {
  const stem = shardStem(set, Math.max(-1, ...set.shards.map(shardNumber)) + 1);
  const files: Record<string, FileEntry> = {};
  for (const [kind, entry] of Object.entries(shard.files)) {
    const { rows, column, metadata } = await contentOf(store, entry);
    const name = `${stem}-${kind}.arrow`;
    files[kind] = { name, ...(await writeFileAtomic(join(store, name), encodeShard(rows, column, metadata))) };
  }
  const { rows, decoder } = shard;
  const made = { rows, ...(decoder !== undefined && { decoder }), layout: 2 as const, files };
  return made as unknown as FeatureSetDraft['shards'][number];
}

/** Removes files of shards, their seals first: without its seal nobody takes a shard up again. */
async function removeSealsFirst(store: string, names: readonly string[]): Promise<void> {
  for (const name of sealsFirst(names)) await removeFile(join(store, name));
}

/** The contents of a shard, in the order of its rows. */
const contentsOf = async (store: string, { files }: ShardEntry): Promise<string> =>
  (await contentOf(store, files.rows)).rows.map(({ sha256 }) => sha256).join();

/**
 * Drops shards that a killed migration wrote before the manifest named them, beside those that they were to replace:
 * the next one writes them again, under the same names.
 */
async function dropHalfDone({ path, manifest }: StoreDraft): Promise<void> {
  const named = new Set((await readManifest(path)).sets.flatMap(({ shards }) => shards.flatMap(shardFileNames)));
  for (const set of manifest.sets) {
    for (const shard of set.shards.filter((one) => !isLabelled(one) && !named.has(one.files.rows.name))) {
      const contents = await contentsOf(path, shard);
      const before = set.shards.filter((one) => isLabelled(one) && one.rows === shard.rows);
      for (const one of before) {
        if ((await contentsOf(path, one)) !== contents) continue;
        set.shards = set.shards.filter((other) => other !== shard);
        await removeSealsFirst(path, shardFileNames(shard));
        break;
      }
    }
  }
}

/**
 * Writes every shard that holds labels and splits anew without them, its features unchanged, in its place among the
 * shards. `onShard` is called after each. A killed process has lost nothing: the same again goes on. Returns how many
 * there were. Throws STORE_CORRUPT for a damaged file, STORE_WRITE.
 */
export async function takeLabelsOut(
  store: StoreDraft,
  onShard: (done: number, total: number) => void = () => undefined,
): Promise<number> {
  const { path, manifest } = store;
  const total = manifest.sets.flatMap(({ shards }) => shards).filter(isLabelled).length;
  await dropHalfDone(store);
  let done = 0;
  let stale: string[] = [];
  let twice = 0;
  async function publish(): Promise<void> {
    await writeManifest(store);
    await removeSealsFirst(path, stale);
    [stale, twice] = [[], 0];
  }
  for (const set of manifest.sets) {
    for (const [i, shard] of set.shards.entries()) {
      if (!isLabelled(shard)) continue;
      const made = await rewritten(path, set, shard);
      set.shards[i] = made;
      await writeSeal(path, set, made);
      stale.push(...shardFileNames(shard));
      twice += Object.values(shard.files).reduce((sum, { bytes }) => sum + bytes, 0);
      if (twice >= TWICE_BYTES) await publish();
      onShard(++done, total);
    }
  }
  if (stale.length > 0) await publish();
  return total;
}
