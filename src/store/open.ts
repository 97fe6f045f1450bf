import { resolve } from 'node:path';
import type { FeaturePart, PoolingChoice } from '../core/sample.ts';
import type { StoreFolder } from './format/manifest.ts';
import { readManifest } from './format/manifest-file.ts';
import type { StoredSample } from './format/shard.ts';
import { readAgain } from './read/changed.ts';
import { storeFiles, type StoreFiles } from './read/file.ts';
import { readRows, type MatrixRows, type RowsOrigin, type RowsRequest, type StoredRows } from './read/rows.ts';
import { withTunedSet } from './read/tuned-sets.ts';
import { givenList, storedList, type SampleList } from './read/samples.ts';
import { storedParts } from './read/stored-networks.ts';
import type { StoredPart } from './read/stored-parts.ts';
import { lockStore, type LockRequest, type StoreLock } from './write/lock.ts';

/**
 * A store as it was when it was opened; after writing it is opened again. While others write, its samples stay, and
 * features are found wherever they are moved; where some were removed, reading ends with STORE_CHANGED. What is read
 * more than once is kept: a short list of samples, their counts, and which files were verified.
 */
export interface Store extends RowsOrigin {
  /** The same features, with `samples` in place of the stored ones: under other labels or splits, or fewer. */
  withSamples(samples: readonly StoredSample[]): Store;
  /** The same images, with the features of a tuned or another network, by a fingerprint, in place of its own. */
  throughNetwork(fingerprint: string): Store;
  /**
   * The parts that are asked for, of the images or of a stored view (1 and up). Throws STORE_EMPTY, and OPTION_INVALID,
   * naming what there is, for a part or view that was not extracted.
   */
  parts(wanted: PoolingChoice | readonly FeaturePart[], view?: number): StoredPart[];
  /** Features: a matrix where asked for or fitting, else blocks. Throws STORE_EMPTY, STORE_CORRUPT, OPTION_INVALID. */
  rows(request: RowsRequest & { readonly memory: 'matrix' }): Promise<MatrixRows>;
  /** The same, where the memory decides. */
  rows(request: RowsRequest): Promise<StoredRows>;
  /** Makes this process the one writer; `command` is named to others. Throws STORE_LOCKED, STORE_WRITE. */
  lock(command: string, request?: LockRequest): Promise<StoreLock>;
}

/**
 * Opens a store for reading, with its list of samples, so that another one that is committed later changes nothing.
 * Throws STORE_NOT_FOUND, STORE_CORRUPT, STORE_VERSION.
 */
export function openStore(path: string): Promise<Store> {
  const store = resolve(path);
  return readAgain(async () => {
    const folder = { path: store, manifest: await readManifest(store) };
    const files = storeFiles(store);
    const list = storedList(files, folder.manifest);
    await list.hold();
    return storeWith(folder, files, list);
  });
}

/** The store of a folder whose manifest is known. */
export function storeAt(folder: StoreFolder): Store {
  const files = storeFiles(folder.path);
  return storeWith(folder, files, storedList(files, folder.manifest));
}

function storeWith(folder: StoreFolder, files: StoreFiles, list: SampleList): Store {
  const origin: RowsOrigin = { ...folder, ...list, files };
  return {
    ...origin,
    withSamples: (samples) => storeWith(folder, files, givenList(samples)),
    throughNetwork: (fingerprint) => storeWith(withTunedSet(folder, fingerprint), files, list),
    parts: (wanted, view) => storedParts(folder, wanted, view),
    rows: (request: RowsRequest) => readRows(origin, request) as Promise<MatrixRows>,
    lock: (command, request) => lockStore(folder.path, command, request),
  };
}
