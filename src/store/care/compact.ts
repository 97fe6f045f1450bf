import { join } from 'node:path';
import { matrix } from '../../core/matrix.ts';
import { widthOf, type FeatureBatch, type Pooling } from '../../core/sample.ts';
import { contentIndex, type ContentIndex } from '../format/content-index.ts';
import { decodeFloat16 } from '../format/float16.ts';
import {
  decoderOf,
  newestFirst,
  poolingsOf,
  rowsOf,
  type FeatureSet,
  type FeatureSetDraft,
  type ShardEntry,
  type StoreDraft,
} from '../format/manifest.ts';
import { writeManifest } from '../format/manifest-file.ts';
import { readVerified } from '../read/file.ts';
import { decodeShard, type ContentRow } from '../format/shard.ts';
import { shardFileNames } from '../write/shard-files.ts';
import { featureWriter, type FeatureWriter } from '../write/writer.ts';

/** Rows of one batch handed to the writer: bounds the memory, whatever the shard. */
const BATCH_ROWS = 64;

/** The rows of a shard that `keep` names by their place, as batches. */
async function* keptRows(
  store: string,
  set: FeatureSet,
  shard: ShardEntry,
  keep: readonly number[],
): AsyncGenerator<FeatureBatch> {
  const rows: ContentRow[] = [];
  const values = new Map<Pooling, (Float32Array | Uint16Array)[]>();
  const poolings = poolingsOf(shard);
  for (const pooling of poolings) {
    const entry = shard.files[pooling]!;
    const width = widthOf(set.widths, pooling);
    const sealed = { rows: shard.rows, width };
    const parts = [...decodeShard(await readVerified(store, entry), join(store, entry.name), sealed)];
    if (rows.length === 0) for (const part of parts) rows.push(...part.rows);
    values.set(
      pooling,
      parts.flatMap((part) => part.rows.map((_, i) => part.features!.values.subarray(i * width, (i + 1) * width))),
    );
  }
  for (let start = 0; start < keep.length; start += BATCH_ROWS) {
    const some = keep.slice(start, start + BATCH_ROWS);
    const features = new Map(
      poolings.map((pooling) => {
        const m = matrix(some.length, widthOf(set.widths, pooling));
        for (const [i, at] of some.entries()) {
          const found = values.get(pooling)![at]!;
          // float16 to float32 and back changes no bit.
          if (found instanceof Uint16Array) decodeFloat16(found, m.data, i * m.cols);
          else m.data.set(found, i * m.cols);
        }
        return [pooling, m] as const;
      }),
    );
    yield { rows: some.map((at) => rows[at]!), features };
  }
}

/**
 * Drops from a set the rows whose content is not `needed`, and those whose poolings other shards hold already, from a
 * decoder as new or newer. Shards
 * left empty are dropped; the rows of the others are written anew. Old shards leave the manifest once all new ones are
 * in it: a kill costs nothing but repeated rows. With `dryRun` nothing is written.
 */
export async function compactSet(
  store: StoreDraft,
  set: FeatureSetDraft,
  needed: (sha256: string) => boolean,
  dryRun: boolean,
): Promise<{ readonly droppedRows: number; readonly rewrittenShards: number; readonly staleFiles: readonly string[] }> {
  const seen = new Map<Pooling, ContentIndex>();
  let [droppedRows, rewrittenShards] = [0, 0];
  const staleFiles: string[] = [];
  const stale = new Set<ShardEntry>();
  const writers = new Map<string, FeatureWriter>();
  const expectedRows = rowsOf(set);
  for (const shard of newestFirst(set)) {
    const entry = shard.files.rows;
    const name = join(store.path, entry.name);
    const rows = [...decodeShard(await readVerified(store.path, entry), name, shard)].flatMap((batch) => batch.rows);
    const poolings = poolingsOf(shard);
    const kept = poolings.map((pooling) => seen.get(pooling) ?? contentIndex());
    poolings.forEach((pooling, p) => seen.set(pooling, kept[p]!));
    const keep = rows.flatMap(({ sha256 }, i) => {
      if (!needed(sha256) || kept.every((contents) => contents.find(sha256) >= 0)) return [];
      for (const contents of kept) contents.add(sha256);
      return [i];
    });
    if (keep.length === rows.length) continue;
    droppedRows += rows.length - keep.length;
    if (keep.length > 0) rewrittenShards++;
    staleFiles.push(...shardFileNames(shard));
    stale.add(shard);
    if (dryRun) continue;
    const key = [decoderOf(shard), ...poolings].join();
    const writer = writers.get(key) ?? featureWriter({ store, set, poolings, expectedRows, decoder: decoderOf(shard) });
    writers.set(key, writer);
    for await (const batch of keptRows(store.path, set, shard, keep)) await writer.append(batch);
  }
  if (stale.size > 0 && !dryRun) {
    for (const writer of writers.values()) await writer.seal();
    set.shards = set.shards.filter((shard) => !stale.has(shard));
    await writeManifest(store);
  }
  return { droppedRows, rewrittenShards, staleFiles };
}
