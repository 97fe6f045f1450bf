import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { MANIFEST_NAME } from '../../store/format/manifest.ts';
import { openStore, type Store } from '../../store/open.ts';
import { contractLabel } from '../../extract/contract.ts';
import { nameOfNetwork, storedNetworks } from '../../store/read/stored-networks.ts';
import { currentSet, poolingChoicesOf } from '../../store/read/stored-parts.ts';
import { storeThrough } from '../../workflows/train/files/store-through.ts';
import type { FeaturesFacts, StoreFacts } from '../api/studio-data.ts';
import { nameOf, takeSnapshots, type Snapshot } from './snapshot.ts';

/** A store that stays open; what another process extracts is seen at the next call. */
export interface LiveStore {
  readonly path: string;
  /**
   * The data set as it is now, seen through these features, by the name of their cut; '' for those that the studio was
   * started with. Throws OPTION_INVALID, naming what there is.
   */
  current(features?: string): Promise<Snapshot>;
  /** The current snapshot of that name. Throws STORE_EMPTY where another extraction took its place. */
  named(name: string): Promise<Snapshot>;
}

/** What changes whenever the manifest is replaced. */
async function stampOf(store: string): Promise<string> {
  // openStore reports a manifest that is gone.
  const found = await stat(join(store, MANIFEST_NAME)).catch(() => undefined);
  return `${found?.ino}/${found?.mtimeMs}/${found?.size}`;
}

/** A store as the studio reads it. */
interface ReadStore {
  readonly store: Store;
  /** The fingerprint of the set that is shown first. */
  readonly first: string;
  /** That of the tuned network that the store is read through; else ''. */
  readonly tuned: string;
}

/** A store with the network that `backboneFile` names (storeThrough): a frozen one is shown first, among the others. */
async function readStore(path: string, backboneFile: string): Promise<ReadStore> {
  const whole = await openStore(path);
  const through = await storeThrough(whole, backboneFile);
  const first = currentSet(through).fingerprint;
  const isFrozen = storedNetworks(whole).some(({ sets }) => sets.some(({ set }) => set.fingerprint === first));
  return isFrozen ? { store: whole, first, tuned: '' } : { store: through, first, tuned: first };
}

/**
 * Opens a store within `bound` bytes of memory, with the features of a tuned network where `backboneFile` names one
 * (storeThrough). Throws STORE_NOT_FOUND, STORE_EMPTY, STORE_CORRUPT, STORE_VERSION, HEAD_CORRUPT.
 */
export async function openLiveStore(storePath: string, bound: number, backboneFile = ''): Promise<LiveStore> {
  const path = resolve(storePath);
  const take = async ({ store, first, tuned }: ReadStore) => ({
    first,
    name: nameOf(store.manifest),
    snapshots: await takeSnapshots(store, bound, tuned),
  });
  let stamp = await stampOf(path);
  let latest = await take(await readStore(path, backboneFile));
  const all = async (): Promise<typeof latest> => {
    const now = await stampOf(path);
    if (now === stamp) return latest;
    const read = await readStore(path, backboneFile);
    if (nameOf(read.store.manifest) !== latest.name) latest = await take(read);
    stamp = now;
    return latest;
  };
  return {
    path,
    async current(features = '') {
      const { snapshots, first } = await all();
      const found = snapshots.find((one) =>
        features === '' ? one.set.fingerprint === first : one.features.name === features,
      );
      if (found !== undefined) return found;
      const names = snapshots.map((one) => one.features.name);
      throw new PermafrostError(
        'OPTION_INVALID',
        `The store has no features "${features}"${suggest(features, names)}. It has: ${names.join(', ')}.`,
      );
    },
    async named(name) {
      const { snapshots, name: now } = await all();
      const found = snapshots.find((one) => one.name === name);
      if (found !== undefined) return found;
      throw new PermafrostError(
        'STORE_EMPTY',
        `The store holds another data set now than the page shows (${now}, not ${name}). Load the page again.`,
      );
    },
  };
}

/** The features that pages can be seen through. */
function featuresFacts({ networks }: Snapshot): FeaturesFacts[] {
  return networks.flatMap(({ label, sets }) =>
    sets.map((one) => {
      const { engine, settings } = one.set;
      return {
        name: one.name,
        network: label,
        cut: settings.cut,
        engine: `${engine.name} on ${engine.device}, ${engine.precision}`,
        contract: contractLabel(settings.contract, nameOfNetwork(one.set)),
        poolings: poolingChoicesOf(one),
      };
    }),
  );
}

/** What a snapshot holds, in counts. */
export function storeFacts(snapshot: Snapshot): StoreFacts {
  const { name, store, features, samples } = snapshot;
  const { labels, splits } = samples.counts();
  const all = featuresFacts(snapshot);
  const { engine, cut, contract } = all.find((one) => one.name === features.name)!;
  return {
    store: store.path,
    dataset: store.manifest.dataset.root,
    snapshot: name,
    images: samples.length,
    failed: store.manifest.dataset.failures.length,
    classes: samples.labels.map((label, i) => ({ label, images: labels[i]! })),
    splits: Object.fromEntries(Object.entries(splits).filter(([, n]) => n > 0)),
    engine,
    cut,
    contract,
    chosen: features.name,
    features: all,
  };
}
