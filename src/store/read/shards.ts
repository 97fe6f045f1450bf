import { join } from 'node:path';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { widthOf, type Pooling } from '../../core/sample.ts';
import { decodeFloat16 } from '../format/float16.ts';
import { newestFirst, type FeatureSet, type ShardEntry } from '../format/manifest.ts';
import { decodeShard, type ShardBatch, type ContentRow } from '../format/shard.ts';
import { readVerified } from './file.ts';

/** What a shard holds of one kind; nothing where it was written without that pooling. */
async function* shardBatches(
  store: string,
  { rows, files }: ShardEntry,
  kind: 'rows' | Pooling,
  width?: number,
): AsyncGenerator<ShardBatch> {
  const entry = files[kind];
  if (entry !== undefined)
    yield* decodeShard(await readVerified(store, entry), join(store, entry.name), { rows, width });
}

/** Every row of a shard without its features. */
export async function* shardRows(store: string, shard: ShardEntry): AsyncGenerator<ContentRow> {
  for await (const { rows } of shardBatches(store, shard, 'rows')) yield* rows;
}

/** Every row of a set without its features, as extracted; one whose poolings lie in several shards comes repeatedly. */
export async function* setRows(store: string, set: FeatureSet): AsyncGenerator<ContentRow> {
  for (const shard of newestFirst(set)) yield* shardRows(store, shard);
}

/** The rows of a set with one pooling's features in float32, shape (rows.length, width), a record batch at a time. */
export async function* setFeatures(
  store: string,
  set: FeatureSet,
  pooling: Pooling,
): AsyncGenerator<{ readonly rows: readonly ContentRow[]; readonly X: Matrix }> {
  for (const shard of newestFirst(set)) {
    for await (const { rows, features } of shardBatches(store, shard, pooling, widthOf(set.widths, pooling))) {
      const { width, values } = features!;
      const X = matrix(rows.length, width);
      if (values instanceof Uint16Array) decodeFloat16(values, X.data);
      else X.data.set(values);
      yield { rows, X };
    }
  }
}
