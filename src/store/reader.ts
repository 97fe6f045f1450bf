import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { matrix, type Matrix } from '../core/matrix.ts';
import type { Pooling, Split } from '../core/sample.ts';
import { decodeFloat16 } from './float16.ts';
import type { FeatureSet, FileEntry, Manifest } from './manifest.ts';
import { decodeShard, type ShardPart, type StoredSample } from './shard.ts';

/** Largest matrix that is read at once, in bytes: what one typed array holds in Node 20. */
const MAX_MATRIX_BYTES = 2 ** 32;

/** A file of the store, whole and verified. Throws STORE_CORRUPT when it is missing or its bytes are not those that were written. */
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

async function* parts(store: string, set: FeatureSet, kind: 'rows' | Pooling): AsyncGenerator<ShardPart> {
  for (const shard of set.shards) {
    const entry = shard.files[kind];
    yield* decodeShard(await readVerified(store, entry), join(store, entry.name));
  }
}

/** Every row of a set without its features, in the order of extraction. */
export async function* setRows(store: string, set: FeatureSet): AsyncGenerator<StoredSample> {
  for await (const { rows } of parts(store, set, 'rows')) yield* rows;
}

/** The rows of a set with one pooling's features in float32, shape (rows.length, width): a record batch at a time, in the order of extraction. */
export async function* setFeatures(
  store: string,
  set: FeatureSet,
  pooling: Pooling,
): AsyncGenerator<{ readonly rows: readonly StoredSample[]; readonly X: Matrix }> {
  for await (const { rows, features } of parts(store, set, pooling)) {
    const { width, values } = features!;
    const X = matrix(rows.length, width);
    if (values instanceof Uint16Array) decodeFloat16(values, X.data);
    else X.data.set(values);
    yield { rows, X };
  }
}

/** The samples of the data set that was extracted last, in the order of their paths. Throws STORE_EMPTY when none was completed. */
export async function readSamples(store: string, manifest: Manifest): Promise<StoredSample[]> {
  const entry = manifest.dataset.samples;
  if (entry === undefined) {
    throw new PermafrostError(
      'STORE_EMPTY',
      `${store} holds no completed extraction. Run "permafrost extract" or "permafrost run" again: what is sealed is kept.`,
    );
  }
  const bytes = await readVerified(store, entry);
  return [...decodeShard(bytes, join(store, entry.name))].flatMap(({ rows }) => rows);
}

/** Features of one split: X (samples.length, width) float32, row i for samples[i]. */
export interface LoadedFeatures {
  readonly X: Matrix;
  readonly samples: readonly StoredSample[];
}

/** The set that the last extraction made or reused. Throws STORE_EMPTY. */
export function currentSet(store: string, manifest: Manifest): FeatureSet {
  const set = manifest.sets.find(({ fingerprint }) => fingerprint === manifest.dataset.fingerprint);
  if (set === undefined)
    throw new PermafrostError(
      'STORE_EMPTY',
      `${store} holds no features yet. Run "permafrost extract" first.`,
    );
  return set;
}

/**
 * Loads the current features of each wanted split, pooled as asked, shard by shard. Throws STORE_EMPTY, STORE_CORRUPT, and
 * OPTION_INVALID where the matrix would pass 4 GiB.
 */
export async function loadFeatures(
  store: string,
  manifest: Manifest,
  pooling: Pooling,
  splits: readonly Split[],
): Promise<ReadonlyMap<Split, LoadedFeatures>> {
  const set = currentSet(store, manifest);
  const width = set.widths[pooling];
  const wanted = (await readSamples(store, manifest)).filter(({ split }) => splits.includes(split));
  const loaded = new Map<Split, { X: Matrix; samples: StoredSample[] }>();
  for (const split of splits) {
    const samples = wanted.filter((sample) => sample.split === split);
    const bytes = samples.length * width * 4;
    if (bytes > MAX_MATRIX_BYTES) {
      throw new PermafrostError(
        'OPTION_INVALID',
        `${samples.length} x ${width} float32 features of ${split} are ${(bytes / 2 ** 30).toFixed(1)} GiB, above the 4 GiB that are read at once. Use --pooling avg or max.`,
      );
    }
    loaded.set(split, { X: matrix(samples.length, width), samples });
  }
  // One content may be needed in several places: the same picture in two classes or splits.
  const targets = new Map<string, { X: Matrix; at: number }[]>();
  for (const { X, samples } of loaded.values()) {
    for (const [at, { sha256 }] of samples.entries()) {
      const places = targets.get(sha256) ?? [];
      if (places.push({ X, at }) === 1) targets.set(sha256, places);
    }
  }
  for await (const { rows, features } of parts(store, set, pooling)) {
    if (features?.width !== width) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${store}: a shard of ${pooling} has the width ${features?.width}, not ${width}.`,
      );
    }
    for (const [i, { sha256 }] of rows.entries()) {
      const values = features.values.subarray(i * width, (i + 1) * width);
      for (const { X, at } of targets.get(sha256) ?? []) {
        if (values instanceof Uint16Array) decodeFloat16(values, X.data, at * width);
        else X.data.set(values, at * width);
      }
      targets.delete(sha256);
    }
  }
  if (targets.size > 0) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${store} lacks the features of ${targets.size} images. Run "permafrost extract" again.`,
    );
  }
  return loaded;
}

/** Features of some images of the current set, by the SHA-256 of their files; those that the set lacks are left out. Reads shard by shard. */
export async function loadRows(
  store: string,
  manifest: Manifest,
  pooling: Pooling,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  if (wanted.size === 0) return found;
  const set = currentSet(store, manifest);
  const width = set.widths[pooling];
  for await (const { rows, features } of parts(store, set, pooling)) {
    for (const [i, { sha256 }] of rows.entries()) {
      if (!wanted.has(sha256) || found.has(sha256)) continue;
      const values = features!.values.subarray(i * width, (i + 1) * width);
      const row = new Float32Array(width);
      if (values instanceof Uint16Array) decodeFloat16(values, row, 0);
      else row.set(values);
      found.set(sha256, row);
    }
  }
  return found;
}
