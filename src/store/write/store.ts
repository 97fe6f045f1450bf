import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, differences } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { DEFAULT_POOLINGS, type Failure, type Pooling, type PoolingWidths } from '../../core/sample.ts';
import { removeFile, writeFileAtomic } from '../format/atomic-file.ts';
import { fingerprintOf, type FeatureSettings } from '../format/fingerprint.ts';
import { removeLeftovers } from './leftovers.ts';
import { isLockFile } from './lock.ts';
import {
  MANIFEST_NAME,
  PARTS_FOLDER,
  poolingsOf,
  settingsSchema,
  newManifest,
  type FeatureSet,
  type FeatureSetDraft,
  type Manifest,
  type ManifestDraft,
  type StoreDraft,
} from '../format/manifest.ts';
import { staleAnswers } from '../format/answers/kept-answers.ts';
import { readManifest, renewCopy, writeManifest } from '../format/manifest-file.ts';
import type { WantedSet } from '../read/stored-parts.ts';
import { takeUpSealed } from './shard-files.ts';
import { encodeList, type SampleRows } from '../format/shard.ts';
import { metadataOfSplit, type SplitOrigin } from '../format/split-origin.ts';
import { isTemporary } from '../format/temporary-files.ts';

/** The names in the folder of a store, which is made where it is not there. Throws STORE_WRITE. */
async function namesIn(store: string): Promise<string[]> {
  try {
    await mkdir(store, { recursive: true });
    return await readdir(store);
  } catch (cause) {
    throw new PermafrostError(
      'STORE_WRITE',
      `The store ${store} cannot be made: ${reasonOf(cause)}. Give another folder with --store.`,
      { cause },
    );
  }
}

/** Throws STORE_WRITE where a folder holds other things than a store, or what is there before its first features. */
export async function requireStoreOrEmpty(store: string): Promise<void> {
  const names = await namesIn(store);
  if (names.includes(MANIFEST_NAME)) return;
  const others = names.filter(
    (name) => !(name.startsWith(MANIFEST_NAME) && isTemporary(name)) && !isLockFile(name) && name !== PARTS_FOLDER,
  );
  if (others.length === 0) return;
  throw new PermafrostError(
    'STORE_WRITE',
    `${store} is not empty and no store (found ${others.slice(0, 3).join(', ')}). Give a new or empty folder with --store.`,
  );
}

/**
 * Opens a store for writing, or makes one; the caller holds its lock (lock.ts). Takes up what a killed process sealed,
 * removes the rest. Throws STORE_WRITE where the folder cannot be made or is no store, and what readManifest throws.
 */
export async function openForWriting(store: string, permafrost: string): Promise<StoreDraft> {
  await requireStoreOrEmpty(store);
  if ((await namesIn(store)).includes(MANIFEST_NAME)) {
    const draft = { path: store, manifest: await readManifest(store) };
    await renewCopy(draft);
    await takeUpSealed(draft);
    await removeLeftovers(draft);
    return draft;
  }
  const draft = { path: store, manifest: newManifest(permafrost) };
  await writeManifest(draft);
  await removeLeftovers(draft);
  return draft;
}

/** What makes a set. */
export interface NewSet extends Pick<FeatureSet, 'engine'> {
  readonly settings: FeatureSettings;
  readonly widths: PoolingWidths;
  readonly network?: FeatureSet['network'];
}

/** The set of these settings, added to the manifest (in memory) where it is not there yet. */
export function setFor(manifest: ManifestDraft, { settings, engine, widths, network }: NewSet): FeatureSetDraft {
  const fingerprint = fingerprintOf(settings);
  const found = manifest.sets.find((set) => set.fingerprint === fingerprint);
  if (found !== undefined) {
    // The file of a graph may have moved.
    if (network !== undefined) found.network = { ...network };
    return found;
  }
  const set: FeatureSetDraft = {
    fingerprint,
    // Its fields stand in one order, whoever gave them: shards carry them as text, the same bytes each time.
    settings: settingsSchema.parse(settings),
    engine: { ...engine },
    network: network && { ...network },
    widths: { ...widths },
    // Given later, they stand where a manifest that is read has them: the same bytes, whoever wrote it last.
    quantization: undefined,
    tuned: undefined,
    shards: [],
  };
  manifest.sets.push(set);
  return set;
}

/**
 * Why stored features do not serve these settings: the fields in which the nearest other set differs, or the poolings
 * that the set of these settings lacks. Undefined without another set, and where only images are new.
 */
export function whyNotReused(
  manifest: Manifest,
  settings: FeatureSettings,
  poolings: readonly Pooling[] = DEFAULT_POOLINGS,
): string | undefined {
  // A view is compared with the same view under other settings: that it is no other view goes without saying.
  const filled = manifest.sets.filter(
    (set) =>
      set.shards.length > 0 &&
      set.settings.view?.number === settings.view?.number &&
      // Another network has features of its own, and these stay.
      set.settings.backbone === settings.backbone &&
      (settings.graph === undefined || set.settings.weights === settings.weights),
  );
  const fingerprint = fingerprintOf(settings);
  const own = filled.find((set) => set.fingerprint === fingerprint);
  if (own !== undefined) {
    const held = new Set(own.shards.flatMap(poolingsOf));
    const lacking = poolings.filter((pooling) => !held.has(pooling));
    const cut = `${settings.cut}:${[...held].join('+')}`;
    return lacking.length === 0 ? undefined : `pooling: "${lacking.join('+')}", not in ${cut}`;
  }
  const reasons = filled.map((set) => differences(settings, set.settings)).sort((a, b) => a.length - b.length);
  return reasons[0]?.join('; ');
}

/** The name of the list of some samples, which their digest makes. */
export const listName = (samples: SampleRows, split: SplitOrigin | undefined): string =>
  `samples-${listDigest(samples, split).slice(0, 16)}.arrow`;

/** SHA-256 of the samples as one JSON array with sorted keys and their split's origin, never having that text whole. */
function listDigest(samples: SampleRows, split: SplitOrigin | undefined): string {
  const hash = createHash('sha256');
  if (split !== undefined) hash.update(canonicalJson(split));
  let before = '[';
  for (const sample of samples) {
    hash.update(before + canonicalJson(sample));
    before = ',';
  }
  return hash.update(before === '[' ? '[]' : ']').digest('hex');
}

/**
 * Makes `samples`, which all have features in every one of `sets`, the store's data set, at once. Where that is another
 * list than before, heads' answers to the former one go, by whose labels and splits nobody is misled then; gives the
 * names of their files.
 */
export async function commitDataset(
  store: StoreDraft,
  dataset: {
    readonly root: string;
    /** The sets that hold all of `samples`, with the poolings in which they do; the primary one first. */
    readonly sets: readonly WantedSet[];
    /** Those that hold its training images in view 1, 2 ... */
    readonly views?: readonly (readonly WantedSet[])[];
    /** Those of tuned networks that hold all of `samples` too. */
    readonly tuned?: readonly WantedSet[];
    /** Those of other networks that hold all of `samples` too, with their views. */
    readonly others?: readonly {
      readonly sets: readonly WantedSet[];
      readonly views: readonly (readonly WantedSet[])[];
    }[];
    readonly samples: SampleRows;
    /** How their splits came about. */
    readonly split?: SplitOrigin;
    readonly failures: readonly Failure[];
  },
): Promise<readonly string[]> {
  const { path, manifest } = store;
  const before = manifest.dataset.samples;
  const name = listName(dataset.samples, dataset.split);
  const encoded = () => encodeList(dataset.samples, metadataOfSplit(dataset.split));
  const samples = before?.name === name ? before : { name, ...(await writeFileAtomic(join(path, name), encoded())) };
  const covering = (sets: readonly WantedSet[]) =>
    sets.map(({ set, poolings }) => ({ fingerprint: set.fingerprint, poolings: [...poolings] }));
  const { views = [], tuned = [], others = [] } = dataset;
  manifest.dataset = {
    root: dataset.root,
    sets: covering(dataset.sets),
    ...(views.length > 0 && { views: views.map(covering) }),
    ...(tuned.length > 0 && { tuned: covering(tuned) }),
    ...(others.length > 0 && {
      others: others.map((one) => ({
        sets: covering(one.sets),
        ...(one.views.length > 0 && { views: one.views.map(covering) }),
      })),
    }),
    samples,
    failures: [...dataset.failures],
  };
  await writeManifest(store);
  if (before === undefined || before.name === name) return [];
  await removeFile(join(path, before.name));
  const stale = await staleAnswers(path, samples.sha256);
  for (const file of stale) await removeFile(join(path, file));
  return stale;
}
