import type { StoreDraft } from '../format/manifest.ts';
import { setOfUnsealed, unsealedNames } from '../format/unsealed-file.ts';
import { knownRows } from './known-rows.ts';
import { holdsIn, storedPoolings } from './stored-poolings.ts';
import { keptShards } from './unsealed-rows.ts';
import { featureWriter } from './writer.ts';

/**
 * Seals the rows that interrupted extractions kept of a store's sets, in shards of their own, for who does not go on
 * with these. Throws STORE_CORRUPT, STORE_WRITE.
 */
export async function sealUnsealed(store: StoreDraft): Promise<void> {
  const unsealed = new Set((await unsealedNames(store.path)).map(setOfUnsealed));
  for (const set of store.manifest.sets) {
    if (!unsealed.has(set.fingerprint)) continue;
    const known = knownRows();
    const stored = await storedPoolings(store.path, set, known);
    for (const kept of await keptShards(store.path, set, holdsIn(stored, known))) {
      const { poolings, decoder } = kept;
      await featureWriter({ store, set, poolings, decoder, expectedRows: 0, kept }).seal();
    }
  }
}
