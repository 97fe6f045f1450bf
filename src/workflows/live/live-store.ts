import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { ImageCard, StoreFacts } from '../../core/studio-data.ts';
import { SPLITS, type Pooling } from '../../core/sample.ts';
import { PermafrostError } from '../../core/errors.ts';
import { exactIndex } from '../../classify/neighbors/exact.ts';
import type { NeighborIndex } from '../../classify/neighbors/neighbor-index.ts';
import { MANIFEST_NAME, readManifest, type FeatureSet, type Manifest } from '../../store/manifest.ts';
import { currentSets, smallPooling } from '../../store/parts.ts';
import { readSamples } from '../../store/reader.ts';
import type { StoredSample } from '../../store/shard.ts';
import { everyImage } from '../every-image.ts';

/** The data set of a store as it was at one moment: rows are numbers into `samples`. */
export interface Snapshot {
  /** Names it: 12 hex digits of the digest of the list of samples, and 12 of that of its sets. */
  readonly name: string;
  readonly store: string;
  readonly manifest: Manifest;
  readonly set: FeatureSet;
  readonly samples: readonly StoredSample[];
  /** How `features` are pooled: avg where the data set was extracted with it. */
  readonly pooling: Pooling;
  /** Pooled features of every image, row i for samples[i]; read on first use, then kept (2 kB an image). */
  features(): Promise<Matrix>;
  /** Exact search among them by the cosine. */
  index(): Promise<NeighborIndex>;
}

/** A store that is looked at for long: what another process extracts meanwhile is seen at the next call. */
export interface LiveStore {
  readonly path: string;
  current(): Promise<Snapshot>;
  /** The current snapshot if it has that name. Throws STORE_EMPTY where another extraction took its place. */
  named(name: string): Promise<Snapshot>;
}

function nameOf(manifest: Manifest): string {
  return `${manifest.dataset.samples?.sha256.slice(0, 12) ?? 'none'}-${sha256Hex(canonicalJson(manifest.dataset.sets)).slice(0, 12)}`;
}

async function take(store: string, manifest: Manifest): Promise<Snapshot> {
  const samples = await readSamples(store, manifest);
  const [primary] = currentSets(store, manifest);
  let features: Promise<Matrix> | undefined;
  let index: Promise<NeighborIndex> | undefined;
  const load = (): Promise<Matrix> => (features ??= everyImage(store, manifest).then(({ X }) => X));
  return {
    name: nameOf(manifest),
    store,
    manifest,
    set: primary.set,
    pooling: smallPooling(primary),
    samples,
    features: load,
    index: () => (index ??= load().then((X) => exactIndex(X, 'cosine'))),
  };
}

/** What changes whenever the manifest is replaced. */
async function stampOf(store: string): Promise<string> {
  // A manifest that is gone is reported by readManifest, in its words.
  const { ino, mtimeMs, size } = await stat(join(store, MANIFEST_NAME)).catch(() => ({
    ino: 0,
    mtimeMs: 0,
    size: 0,
  }));
  return `${ino}/${mtimeMs}/${size}`;
}

/** Opens a store to look at. Throws STORE_NOT_FOUND, STORE_EMPTY, STORE_CORRUPT, STORE_VERSION. */
export async function openLiveStore(storePath: string): Promise<LiveStore> {
  const path = resolve(storePath);
  let stamp = await stampOf(path);
  let latest = await take(path, await readManifest(path));
  const current = async (): Promise<Snapshot> => {
    const now = await stampOf(path);
    if (now === stamp) return latest;
    const manifest = await readManifest(path);
    if (nameOf(manifest) !== latest.name) latest = await take(path, manifest);
    stamp = now;
    return latest;
  };
  return {
    path,
    current,
    async named(name) {
      const snapshot = await current();
      if (snapshot.name === name) return snapshot;
      throw new PermafrostError(
        'STORE_EMPTY',
        `The store holds another data set now than the page shows (${snapshot.name}, not ${name}). Load the page again.`,
      );
    },
  };
}

/** One image of a snapshot as pages show it. */
export function cardOf({ samples }: Snapshot, row: number): ImageCard {
  const { path, label, split } = samples[row]!;
  return { row, path, label, split };
}

/** What a snapshot holds, in counts. */
export function factsOf({ name, store, manifest, set, samples }: Snapshot): StoreFacts {
  const classes = new Map<string, number>();
  for (const { label } of samples) classes.set(label, (classes.get(label) ?? 0) + 1);
  const { device, precision } = set.engine;
  return {
    store,
    dataset: manifest.dataset.root,
    snapshot: name,
    images: samples.length,
    failed: manifest.dataset.failures.length,
    classes: [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, images]) => ({ label, images })),
    splits: Object.fromEntries(
      SPLITS.map(
        (split) => [split, samples.filter((sample) => sample.split === split).length] as const,
      ).filter(([, n]) => n > 0),
    ),
    engine: `${set.engine.name} on ${device}, ${precision}`,
    cut: set.settings.cut,
    contract: set.settings.contract.name,
  };
}
