import { DEFAULT_POOLINGS } from '../../core/sample.ts';
import type { StoreDraft } from '../format/manifest.ts';
import { setOfUnsealed, unsealedNames } from '../format/unsealed-file.ts';
import { setsWriter } from './sets-writer.ts';

/**
 * Seals the rows that an interrupted extraction kept of a store's sets, in shards of their own, for who does not go on
 * with it. Throws STORE_CORRUPT, STORE_WRITE.
 */
export async function sealUnsealed(store: StoreDraft): Promise<void> {
  const kept = new Set((await unsealedNames(store.path)).map(setOfUnsealed));
  for (const set of store.manifest.sets) {
    if (!kept.has(set.fingerprint)) continue;
    const wanted = [{ set, poolings: DEFAULT_POOLINGS }];
    await (await setsWriter({ store, wanted, expectedRows: 0, goesOn: true })).seal();
  }
}
