import { PermafrostError } from '../../core/errors.ts';
import { present } from '../../results/report-data.ts';
import { openStore } from '../../store/open.ts';
import { memoryBound } from '../memory.ts';
import { exactNeighbors, type Search } from '../search/exact-neighbors.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import { storedPartsOfHead } from '../train/head-parts.ts';
import { storeOfHead } from '../train/labelled-store.ts';
import type { Work } from '../work.ts';

/**
 * Search of a head's training images under the labels that they were trained on; undefined, which is noted, where their
 * store has gone or holds other features. Throws OPTION_INVALID where it takes more than `memory`.
 */
export async function trainingSearch(
  { document, store: path, rowsMemory }: OpenedHead,
  memory: string,
  work: Work,
): Promise<Search | undefined> {
  const { listener } = work;
  const store = await openStore(path).catch((error: unknown) => {
    if (error instanceof PermafrostError && error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  });
  if (store?.manifest.dataset.samples === undefined) {
    listener?.note?.(`The store that the head was trained on is not at ${path}: no nearest images are shown.`);
    return undefined;
  }
  const own = await storeOfHead(store, document);
  const stored = storedPartsOfHead(own, document);
  if (!present(stored)) {
    listener?.note?.(
      `The store ${path} now holds features of other settings than the head's (${stored.missing}): no nearest images are shown.`,
    );
    return undefined;
  }
  const bound = memoryBound(memory);
  const trained = { store: own, parts: stored.parts, splits: ['train'] } as const;
  return exactNeighbors({ ...trained, owner: 'predict', metric: 'cosine', bound, otherBytes: rowsMemory }, work);
}
