import { existsSync } from 'node:fs';
import { PermafrostError } from '../../../core/errors.ts';
import { differingSettings } from '../../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../../store/format/manifest.ts';
import { currentSet } from '../../../store/read/stored-parts.ts';
import { readHead } from '../../../store/read/heads/head-file.ts';
import { tunedSets } from '../../../store/read/tuned-sets.ts';
import type { Store } from '../../../store/open.ts';

/**
 * The store as a command is to read it: as it is where `backboneFile` is empty, else with the features of the tuned
 * network that it names, by a head file on that network's features or by the fingerprint of their set. Throws
 * STORE_EMPTY where the store lacks them for some image, HEAD_CORRUPT.
 */
export async function storeThrough(store: Store, backboneFile: string): Promise<Store> {
  if (backboneFile === '') return store;
  if (/^[0-9a-f]{16}$/.test(backboneFile) && !existsSync(backboneFile)) return store.throughNetwork(backboneFile);
  const { document } = await readHead(backboneFile);
  const isItsOwn = ({ settings }: FeatureSet): boolean => differingSettings(document.settings, settings).length === 0;
  const set = tunedSets(store).find(isItsOwn);
  if (set !== undefined) return store.throughNetwork(set.fingerprint);
  if (isItsOwn(currentSet(store))) return store;
  throw new PermafrostError(
    'STORE_EMPTY',
    `${store.path} has no features of the network of ${backboneFile} for all of its images. Run "permafrost extract ${store.path} --backbone-file ${backboneFile}" first.`,
  );
}
