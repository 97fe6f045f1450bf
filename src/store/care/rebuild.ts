import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { factsOfFile } from '../../core/files/file-facts.ts';
import { POOLINGS, type Pooling } from '../../core/sample.ts';
import { kindOf } from '../format/file-kinds.ts';
import { readFileTimes } from '../format/file-times-file.ts';
import {
  MANIFEST_COPY_NAME,
  newManifest,
  type CoveringNetwork,
  type CoveringSet,
  type FeatureSet,
  type FeatureSetDraft,
  type FileEntry,
  type ManifestDraft,
  type StoreDraft,
} from '../format/manifest.ts';
import { readManifest } from '../format/manifest-file.ts';
import { decodeList, shardMetadata, type StoredSample } from '../format/shard.ts';
import { splitOriginIn } from '../format/split-origin.ts';
import { heldContents, heldElsewhere } from '../write/held-contents.ts';
import { setsFromSeals, takeUpSealed } from '../write/shard-files.ts';
import { listName } from '../write/store.ts';

/** A store of which the manifest may have been made anew; `problem` says what was wrong with the one on the disk. */
export interface Rebuilt {
  readonly store: StoreDraft;
  readonly problem: string | undefined;
}

/**
 * A store with all that is sealed. With a damaged or missing manifest it is what the copy of it says, and without a
 * copy what seals and list of samples say of themselves. Throws STORE_VERSION, and STORE_NOT_FOUND where there are no
 * seals either.
 */
export async function openOrRebuild(path: string, permafrost: string): Promise<Rebuilt> {
  try {
    const store = { path, manifest: await readManifest(path) };
    await takeUpSealed(store);
    return { store, problem: undefined };
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code === 'STORE_VERSION') throw error;
    const copy = await readManifest(path, MANIFEST_COPY_NAME).catch(() => undefined);
    const { sets } = await setsFromSeals(path).catch(() => ({ sets: [] }));
    if (error.code === 'STORE_NOT_FOUND' && sets.length === 0 && copy === undefined) throw error;
    const store = { path, manifest: copy ?? (await fromFiles(path, permafrost, sets)) };
    if (copy !== undefined) {
      const known = new Set(copy.sets.map(({ fingerprint }) => fingerprint));
      copy.sets.push(...sets.filter(({ fingerprint }) => !known.has(fingerprint)));
      await takeUpSealed(store);
    }
    return { store, problem: error.message };
  }
}

/** What a store without manifest and copy is: the sets of the seals, and the list of samples that proves itself. */
async function fromFiles(path: string, permafrost: string, sets: FeatureSetDraft[]): Promise<ManifestDraft> {
  const manifest = newManifest(permafrost, sets);
  const names = (await readdir(path)).filter((name) => kindOf(name)?.kind === 'list of samples').sort();
  for (const name of names) {
    const list = await provenList(path, name);
    if (list === undefined) continue;
    const networks = await coveringNetworks(path, sets, list.samples);
    const [primary, ...others] = networks;
    // A list of which nothing is held is of no use: another extraction brings it again.
    if (primary === undefined) continue;
    const root = await readFileTimes(path).then(
      (times) => times?.root ?? '',
      () => '',
    );
    manifest.dataset = {
      root,
      ...draftOf(primary),
      ...(others.length > 0 && { others: others.map(draftOf) }),
      samples: list.entry,
      failures: [],
    };
  }
  return manifest;
}

const draftOf = ({ sets, views }: CoveringNetwork) => {
  const covering = (some: readonly CoveringSet[]) =>
    some.map(({ fingerprint, poolings }) => ({ fingerprint, poolings: [...poolings] }));
  return { sets: covering(sets), ...(views && { views: views.map(covering) }) };
};

/** A list of samples whose name is that of its content; undefined for another one. */
async function provenList(
  path: string,
  name: string,
): Promise<{ readonly entry: FileEntry; readonly samples: readonly StoredSample[] } | undefined> {
  const file = join(path, name);
  try {
    const bytes = await readFile(file);
    const samples = [...decodeList(bytes, file)].flat();
    if (listName(samples, splitOriginIn(shardMetadata(bytes, file))) !== name) return undefined;
    return { entry: { name, ...(await factsOfFile(file)) }, samples };
  } catch {
    return undefined;
  }
}

/** What of a set holds all of some images; undefined where no pooling does, or its files cannot be read. */
async function covering(path: string, set: FeatureSet, samples: readonly StoredSample[]) {
  const poolings: Pooling[] = [];
  for (const pooling of POOLINGS) {
    const held = await heldContents(path, [{ set, poolings: [pooling] }]).then(heldElsewhere, () => undefined);
    if (held !== undefined && samples.every(({ sha256 }) => held.decoderOf(sha256) > 0)) poolings.push(pooling);
  }
  return poolings.length === 0 ? undefined : { fingerprint: set.fingerprint, poolings };
}

/**
 * The networks that hold all of some images, with their views. Which was extracted last nothing tells: the first in the
 * order of the files' names is the primary one; of cuts the one whose name comes last, the deepest of block1 to block5.
 */
async function coveringNetworks(
  path: string,
  sets: readonly FeatureSet[],
  samples: readonly StoredSample[],
): Promise<CoveringNetwork[]> {
  const networks = new Map<string, { sets: CoveringSet[]; views: CoveringSet[][] }>();
  const trained = samples.filter(({ split }) => split === 'train');
  const ordered = sets.toSorted((a, b) => (a.settings.cut < b.settings.cut ? 1 : -1));
  for (const set of ordered) {
    const { view, backbone, weights, engineClass, calibration } = set.settings;
    // A tuned network's sets are found by its file.
    if (set.tuned !== undefined) continue;
    const found = await covering(path, set, view === undefined ? samples : trained);
    if (found === undefined) continue;
    const key = [backbone, weights, engineClass, calibration === undefined].join(' ');
    const network = networks.get(key) ?? { sets: [], views: [] };
    networks.set(key, network);
    if (view === undefined) network.sets.push(found);
    else (network.views[view.number - 1] ??= []).push(found);
  }
  return [...networks.values()]
    .filter((network) => network.sets.length > 0)
    .map((network) => {
      const isWhole = network.views.length > 0 && Array.from(network.views).every((one) => one?.length > 0);
      return { sets: network.sets, ...(isWhole && { views: network.views }) };
    });
}
