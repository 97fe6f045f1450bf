import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Matrix } from '../../src/core/matrix.ts';
import {
  DEFAULT_POOLINGS,
  type FeaturePart,
  type Pooling,
  type PoolingWidths,
  type Split,
} from '../../src/core/sample.ts';
import type { FeatureSettings } from '../../src/store/format/fingerprint.ts';
import type { FeatureSetDraft, ManifestDraft } from '../../src/store/format/manifest.ts';
import { readManifest } from '../../src/store/format/manifest-file.ts';
import { openStore, storeAt, type Store } from '../../src/store/open.ts';
import { setRows } from '../../src/store/read/shards.ts';
import type { WantedSet } from '../../src/store/read/stored-parts.ts';
import type { StoredSample } from '../../src/store/format/shard.ts';
import { commitDataset, openForWriting, setFor } from '../../src/store/write/store.ts';
import { featureWriter, type FeatureWriter } from '../../src/store/write/writer.ts';
import { ENGINE, featuresOf, settingsWith, storedRow, WIDTHS } from './stored-rows.ts';

export interface MadeStore {
  readonly store: string;
  readonly manifest: ManifestDraft;
  readonly set: FeatureSetDraft;
}

/** Bytes of a shard that holds `rows` rows of float16 maps of WIDTHS. */
export const shardBytesFor = (rows: number): number => rows * WIDTHS.flatten * 2;

/** A set that covers a data set in all poolings. */
export const whole = (set: FeatureSetDraft): WantedSet[] => [{ set, poolings: DEFAULT_POOLINGS }];

/** Adds rows to a store under `settings`, `perShard` rows a shard, and makes them its data set. */
export async function fillStore(
  store: string,
  rows: readonly StoredSample[],
  {
    perShard = 100,
    settings = settingsWith(),
    widths = WIDTHS,
  }: { perShard?: number; settings?: FeatureSettings; widths?: PoolingWidths } = {},
): Promise<MadeStore> {
  const { manifest } = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, { settings, engine: ENGINE, widths });
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    expectedRows: rows.length,
    shardBytes: perShard * widths.flatten * 2,
  });
  await writer.append(featuresOf(rows, widths));
  await writer.seal();
  await commitSamples({ store, manifest, set }, rows);
  return { store, manifest, set };
}

/** Makes `samples` what the store says of its one set. */
export async function commitSamples(
  { store, manifest, set }: MadeStore,
  samples: readonly StoredSample[],
): Promise<void> {
  await commitDataset({ path: store, manifest }, { root: '/pictures', sets: whole(set), samples, failures: [] });
}

/** Every file of a folder with its bytes as text, so that two folders compare by one equality. */
export function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length + 1), readFileSync(path, 'latin1')];
    }),
  );
}

/** A store as its maker left it, without reading its manifest again. */
export const openMade = ({ store, manifest }: Pick<MadeStore, 'store' | 'manifest'>): Store =>
  storeAt({ path: store, manifest });

/** Features of splits as matrices, each with its samples. */
export async function matricesOf(
  store: Store,
  parts: Pooling | readonly FeaturePart[],
  splits: readonly Split[],
  view = 0,
): Promise<ReadonlyMap<Split, { readonly X: Matrix; readonly samples: readonly StoredSample[] }>> {
  const all = [...(await store.samples())];
  const found = new Map<Split, { X: Matrix; samples: readonly StoredSample[] }>();
  for (const split of splits) {
    const rows = await store.rows({ parts, splits: [split], views: view, memory: 'matrix' });
    const { matrix: X } = view === 0 ? rows : rows.views[view - 1]!;
    found.set(split, { X, samples: all.filter((sample) => sample.split === split) });
  }
  return found;
}

/** All that a reader sees of a store's data set: samples in their order, and each one's features by pooling. */
export async function contentOf(
  store: string,
  splits: readonly Split[] = ['train', 'val'],
): Promise<{ samples: StoredSample[]; features: Record<Pooling, Record<string, number[]>> }> {
  const opened = await openStore(store);
  const features = {} as Record<Pooling, Record<string, number[]>>;
  for (const pooling of DEFAULT_POOLINGS) {
    features[pooling] = {};
    for (const { X, samples } of (await matricesOf(opened, pooling, splits)).values()) {
      for (const [i, { path }] of samples.entries())
        features[pooling][path] = [...X.data.subarray(i * X.cols, (i + 1) * X.cols)];
    }
  }
  return { samples: [...(await opened.samples())], features };
}

/** `count` rows, named by their numbers from `from` on. */
export const named = (count: number, from = 0): StoredSample[] =>
  Array.from({ length: count }, (_, i) => storedRow(`${from + i}.jpg`));

export interface Opened extends MadeStore {
  readonly writer: FeatureWriter;
}

/** A writer with `perShard` rows a shard into a store, made where it is not there. */
export async function opened(store: string, perShard: number, expectedRows = 1000): Promise<Opened> {
  const { manifest } = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, { settings: settingsWith(), engine: ENGINE, widths: WIDTHS });
  const shardBytes = shardBytesFor(perShard);
  return {
    store,
    manifest,
    set,
    writer: featureWriter({ store: { path: store, manifest }, set, expectedRows, shardBytes }),
  };
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
