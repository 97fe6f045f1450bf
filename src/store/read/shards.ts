import { join } from 'node:path';
import { newestFirst, type FeatureSet, type ShardEntry } from '../format/manifest.ts';
import { decodeShard, type StoredSample } from '../format/shard.ts';
import { readVerified } from './file.ts';

/** Every row of a shard without its features. */
export async function* shardRows(store: string, { files }: ShardEntry): AsyncGenerator<StoredSample> {
  for (const { rows } of decodeShard(await readVerified(store, files.rows), join(store, files.rows.name))) yield* rows;
}

/** Every row of a set without its features, as extracted; one whose poolings lie in several shards comes repeatedly. */
export async function* setRows(store: string, set: FeatureSet): AsyncGenerator<StoredSample> {
  for (const shard of newestFirst(set)) yield* shardRows(store, shard);
}
