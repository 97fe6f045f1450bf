import { PermafrostError } from '../../../core/errors.ts';
import type { FeaturePart } from '../../../core/sample.ts';
import { present, type OrReason } from '../../../results/or-reason.ts';
import { openStore, type Store } from '../../../store/open.ts';
import type { OpenedHead } from './head-files.ts';
import { storedPartsOfHead } from '../head-parts.ts';
import { storeOfHead } from '../labelled-store.ts';

/** A store under the labels that a head was trained on. */
export interface TrainingStore {
  readonly store: Store;
  /** The features that the head reads. */
  readonly parts: readonly (FeaturePart & { readonly width: number })[];
}

/**
 * The store that a head was trained on; a reason, without its full stop, where it has gone or holds other features.
 * Throws what opening it throws, but STORE_NOT_FOUND.
 */
export async function trainingStore({
  document,
  store: path,
}: Pick<OpenedHead, 'document' | 'store'>): Promise<OrReason<TrainingStore>> {
  const store = await openStore(path).catch((error: unknown) => {
    if (error instanceof PermafrostError && error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  });
  if (store?.manifest.dataset.samples === undefined)
    return { missing: `The store that the head was trained on is not at ${path}` };
  const own = await storeOfHead(store, document);
  const stored = storedPartsOfHead(own, document);
  return present(stored)
    ? { store: own, parts: stored.parts }
    : { missing: `The store ${path} now holds features of other settings than the head's (${stored.missing})` };
}
