import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POOLINGS, type Pooling, type Split } from '../../src/core/sample.ts';
import type { FeatureSettings } from '../../src/store/format/fingerprint.ts';
import { readManifest, type FeatureSet, type Manifest } from '../../src/store/format/manifest.ts';
import { loadFeatures, readSamples, setRows } from '../../src/store/read/reader.ts';
import type { WantedSet } from '../../src/store/read/parts.ts';
import type { StoredSample } from '../../src/store/format/shard.ts';
import { commitDataset, openForWriting, setFor } from '../../src/store/write/store.ts';
import { featureWriter, type FeatureWriter } from '../../src/store/write/writer.ts';
import { ENGINE, featuresOf, settingsWith, storedRow, WIDTHS } from './stored-rows.ts';

export interface MadeStore {
  readonly store: string;
  readonly manifest: Manifest;
  readonly set: FeatureSet;
}

/** Bytes of a shard that holds `rows` rows of float16 maps of WIDTHS. */
export const shardBytesFor = (rows: number): number => rows * WIDTHS.flatten * 2;

/** A set that covers a data set in all poolings. */
export const whole = (set: FeatureSet): WantedSet[] => [{ set, poolings: POOLINGS }];

/** Adds rows to a store under `settings`, `perShard` rows a shard, and makes them its data set. */
export async function fillStore(
  store: string,
  rows: readonly StoredSample[],
  {
    perShard = 100,
    settings = settingsWith(),
    widths = WIDTHS,
  }: { perShard?: number; settings?: FeatureSettings; widths?: Readonly<Record<Pooling, number>> } = {},
): Promise<MadeStore> {
  const manifest = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, settings, ENGINE, widths);
  const writer = featureWriter({
    store,
    manifest,
    set,
    expectedRows: rows.length,
    shardBytes: perShard * widths.flatten * 2,
  });
  await writer.append(featuresOf(rows, widths));
  await writer.seal();
  await commitDataset(store, manifest, { root: '/pictures', sets: whole(set), samples: rows, failures: [] });
  return { store, manifest, set };
}

/** Every file of a folder with its bytes as text, so that two folders compare by one equality. */
export function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length + 1), readFileSync(path, 'latin1')];
    }),
  );
}

/** All that a reader sees of a store's data set: samples in their order, and each one's features by pooling. */
export async function contentOf(
  store: string,
  splits: readonly Split[] = ['train', 'val'],
): Promise<{ samples: StoredSample[]; features: Record<Pooling, Record<string, number[]>> }> {
  const manifest = await readManifest(store);
  const features = {} as Record<Pooling, Record<string, number[]>>;
  for (const pooling of POOLINGS) {
    features[pooling] = {};
    for (const { X, samples } of (await loadFeatures(store, manifest, pooling, splits)).values()) {
      for (const [i, { path }] of samples.entries())
        features[pooling][path] = [...X.data.subarray(i * X.cols, (i + 1) * X.cols)];
    }
  }
  return { samples: await readSamples(store, manifest), features };
}

/** `count` rows, named by their numbers from `from` on. */
export const named = (count: number, from = 0): StoredSample[] =>
  Array.from({ length: count }, (_, i) => storedRow(`${from + i}.jpg`));

export interface Opened extends MadeStore {
  readonly writer: FeatureWriter;
}

/** A writer with `perShard` rows a shard into a store, made where it is not there. */
export async function opened(store: string, perShard: number, expectedRows = 1000): Promise<Opened> {
  const manifest = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, settingsWith(), ENGINE, WIDTHS);
  const shardBytes = shardBytesFor(perShard);
  return { store, manifest, set, writer: featureWriter({ store, manifest, set, expectedRows, shardBytes }) };
}

/** Paths of the rows that the store on disk names, shard by shard. */
export async function sealed(store: string): Promise<string[][]> {
  const set = (await readManifest(store)).sets[0];
  if (set === undefined) return [];
  const shards: string[][] = [];
  for (const shard of set.shards) {
    const paths: string[] = [];
    for await (const { path } of setRows(store, { ...set, shards: [shard] })) paths.push(path);
    shards.push(paths);
  }
  return shards;
}
