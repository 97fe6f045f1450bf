import { resolve } from 'node:path';
import type { MigrateResult } from '../../results/store-results.ts';
import { lockStore } from '../../store/write/lock.ts';
import { rowsOf, versionFor } from '../../store/format/manifest.ts';
import { readManifest, writeManifest } from '../../store/format/manifest-file.ts';
import { lockRequest } from '../take-over.ts';
import type { Work } from '../work.ts';

/**
 * Migrates a store to the newest version: its manifest is written anew, its shards stay as they are. Throws
 * STORE_LOCKED, STORE_WRITE and what readManifest throws; STORE_VERSION for a newer version.
 */
export async function migrate(storePath: string, work: Work = {}): Promise<MigrateResult> {
  const store = resolve(storePath);
  await readManifest(store); // no lock is left in a folder that is no store
  const lock = await lockStore(store, 'permafrost migrate', lockRequest(work));
  try {
    const manifest = await readManifest(store);
    const from = manifest.version;
    const to = versionFor(manifest);
    if (from !== to) await writeManifest({ path: store, manifest });
    const { sets } = manifest;
    const shards = sets.reduce((sum, set) => sum + set.shards.length, 0);
    const rows = sets.reduce((sum, set) => sum + rowsOf(set), 0);
    return { store, from, to, sets: sets.length, shards, rows };
  } finally {
    await lock.release();
  }
}
