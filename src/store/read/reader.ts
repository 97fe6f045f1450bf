import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { FeaturePart, Pooling, Split } from '../../core/sample.ts';
import { decodeFloat16 } from '../format/float16.ts';
import type { FeatureSet, FileEntry, Manifest, ShardEntry } from '../format/manifest.ts';
import { storedParts, type StoredPart } from './parts.ts';
import { rowTargets } from './row-targets.ts';
import { decodeShard, type ShardPart, type StoredSample } from '../format/shard.ts';

/** Largest matrix that is read at once, in bytes: what one typed array holds in Node 20. */
export const MAX_MATRIX_BYTES = 2 ** 32;

/**
 * A file of the store, whole and verified. Throws STORE_CORRUPT when it is missing or its bytes are not those that were
 * written.
 */
export async function readVerified(store: string, entry: FileEntry): Promise<Buffer> {
  const path = join(store, entry.name);
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${path} cannot be read: ${reasonOf(cause)}. Extract again into a new store.`,
      { cause },
    );
  });
  if (bytes.length !== entry.bytes || createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${path} is not what was written (${bytes.length} bytes, expected ${entry.bytes} with SHA-256 ${entry.sha256.slice(0, 16)}…). Restore it, or extract again into a new store.`,
    );
  }
  return bytes;
}

/** What a shard holds of one kind; nothing where it was written without that pooling. */
async function* shardParts(
  store: string,
  { files }: ShardEntry,
  kind: 'rows' | Pooling,
): AsyncGenerator<ShardPart> {
  const entry = files[kind];
  if (entry !== undefined) yield* decodeShard(await readVerified(store, entry), join(store, entry.name));
}

/** Every row of a shard without its features. */
export async function* shardRows(store: string, shard: ShardEntry): AsyncGenerator<StoredSample> {
  for await (const { rows } of shardParts(store, shard, 'rows')) yield* rows;
}

/**
 * Every row of a set without its features, in the order of extraction; a row whose poolings lie in several shards comes
 * several times.
 */
export async function* setRows(store: string, set: FeatureSet): AsyncGenerator<StoredSample> {
  for (const shard of set.shards) yield* shardRows(store, shard);
}

/**
 * The rows of a set with one pooling's features in float32, shape (rows.length, width): a record batch at a time, in
 * the order of extraction.
 */
export async function* setFeatures(
  store: string,
  set: FeatureSet,
  pooling: Pooling,
): AsyncGenerator<{ readonly rows: readonly StoredSample[]; readonly X: Matrix }> {
  for (const shard of set.shards) {
    for await (const { rows, features } of shardParts(store, shard, pooling)) {
      const { width, values } = features!;
      const X = matrix(rows.length, width);
      if (values instanceof Uint16Array) decodeFloat16(values, X.data);
      else X.data.set(values);
      yield { rows, X };
    }
  }
}

/** As readSamples, one by one: a million of them need not be in memory at once. */
export async function* eachSample(store: string, manifest: Manifest): AsyncGenerator<StoredSample> {
  const entry = manifest.dataset.samples;
  if (entry === undefined) {
    throw new PermafrostError(
      'STORE_EMPTY',
      `${store} holds no completed extraction. Run "permafrost extract" or "permafrost run" again: what is sealed is kept.`,
    );
  }
  const bytes = await readVerified(store, entry);
  for (const { rows } of decodeShard(bytes, join(store, entry.name))) yield* rows;
}

/**
 * The samples of the data set that was extracted last, in the order of their paths. Throws STORE_EMPTY when none was
 * completed.
 */
export async function readSamples(store: string, manifest: Manifest): Promise<StoredSample[]> {
  const samples: StoredSample[] = [];
  for await (const sample of eachSample(store, manifest)) samples.push(sample);
  return samples;
}

/** Which features are loaded, beside the defaults. */
export interface LoadOptions {
  /** 0, the default: the images themselves; 1 and up: an augmented view of training images. */
  readonly view?: number;
  /** The store's images under labels and splits that count in place of the stored ones; by default readSamples'. */
  readonly samples?: readonly StoredSample[];
  /** Whether the features lie in memory that threads share. */
  readonly shared?: boolean;
}

/**
 * Features of one split: X (samples.length, width) float32, row i for samples[i]; several parts stand side by side in
 * their order.
 */
export interface LoadedFeatures {
  readonly X: Matrix;
  readonly samples: readonly StoredSample[];
}

/**
 * Copies one part into the columns from `from` on: the features of `digests[i]` into row i of the lists' matrices below
 * each other. Throws STORE_CORRUPT where one is not there.
 */
async function fillPart(
  store: string,
  { set, pooling, width }: StoredPart,
  lists: readonly LoadedFeatures[],
  digests: readonly string[],
  from: number,
): Promise<void> {
  // One content may be needed in several places: the same picture in two classes or splits.
  const targets = rowTargets(digests);
  for (const shard of set.shards) {
    for await (const { rows, features } of shardParts(store, shard, pooling)) {
      if (features?.width !== width) {
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${store}: a shard of ${pooling} has the width ${features?.width}, not ${width}.`,
        );
      }
      for (const [i, { sha256 }] of rows.entries()) {
        const values = features.values.subarray(i * width, (i + 1) * width);
        targets.meet(sha256, (place) => {
          let row = place;
          for (const { X } of lists) {
            if (row >= 0 && row < X.rows) {
              const at = row * X.cols + from;
              if (values instanceof Uint16Array) decodeFloat16(values, X.data, at);
              else X.data.set(values, at);
            }
            row -= X.rows;
          }
        });
      }
    }
  }
  if (targets.missing > 0) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${store} lacks the features of ${targets.missing} images. Run "permafrost extract" again.`,
    );
  }
}

/**
 * Loads the current features of each wanted split, shard by shard: of the primary set, pooled as asked, or of several
 * parts side by side, raw (each may want a normalisation of its own). Throws STORE_EMPTY, STORE_CORRUPT, and
 * OPTION_INVALID where the data set has not such a part or the matrix would pass 4 GiB.
 */
export async function loadFeatures(
  store: string,
  manifest: Manifest,
  features: Pooling | readonly FeaturePart[],
  splits: readonly Split[],
  { view = 0, samples: all, shared = false }: LoadOptions = {},
): Promise<ReadonlyMap<Split, LoadedFeatures>> {
  const parts = storedParts(store, manifest, features, view);
  const wanted = new Map(splits.map((split) => [split, [] as StoredSample[]]));
  for await (const sample of all ?? eachSample(store, manifest)) wanted.get(sample.split)?.push(sample);
  const loaded = new Map(
    [...wanted].map(([split, samples]) => [split, emptyRows(samples, parts, split, shared)]),
  );
  await fill(store, parts, [...loaded.values()]);
  return loaded;
}

/**
 * As loadFeatures, of these samples in their order, whatever their splits: one matrix, row i for samples[i]. Throws as
 * loadFeatures.
 */
export async function loadRows(
  store: string,
  manifest: Manifest,
  features: Pooling | readonly FeaturePart[],
  samples: readonly StoredSample[],
): Promise<LoadedFeatures> {
  const parts = storedParts(store, manifest, features);
  const loaded = emptyRows(samples, parts, 'these images');
  await fill(store, parts, [loaded]);
  return loaded;
}

/** Room for the features of samples, side by side. Throws OPTION_INVALID where it would pass 4 GiB. */
function emptyRows(
  samples: readonly StoredSample[],
  parts: readonly StoredPart[],
  of: string,
  shared = false,
): LoadedFeatures {
  const width = parts.reduce((sum, part) => sum + part.width, 0);
  const bytes = samples.length * width * 4;
  if (bytes > MAX_MATRIX_BYTES) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${samples.length} x ${width} float32 features of ${of} are ${(bytes / 2 ** 30).toFixed(1)} GiB, above the 4 GiB that are read at once. Use --pooling avg or max.`,
    );
  }
  const data = new Float32Array(shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  return { X: { data, rows: samples.length, cols: width }, samples };
}

async function fill(
  store: string,
  parts: readonly StoredPart[],
  lists: readonly LoadedFeatures[],
): Promise<void> {
  const digests = lists.flatMap(({ samples }) => samples.map(({ sha256 }) => sha256));
  let from = 0;
  for (const part of parts) {
    await fillPart(store, part, lists, digests, from);
    from += part.width;
  }
}
