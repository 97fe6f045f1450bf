import { resolve } from 'node:path';
import type { MigrateResult } from '../../results/store-results.ts';
import { takeLabelsOut } from '../../store/care/take-labels-out.ts';
import { lockStore } from '../../store/write/lock.ts';
import { rowsOf, versionFor } from '../../store/format/manifest.ts';
import { readManifest, writeManifest } from '../../store/format/manifest-file.ts';
import { openForWriting } from '../../store/write/store.ts';
import { progressMeter } from '../progress-meter.ts';
import { lockRequest } from '../take-over.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';

/**
 * Migrates a store to the newest version: shards of older ones are written anew without the labels and splits that they
 * held, their features unchanged. What is interrupted goes on the next time. Throws STORE_LOCKED, STORE_WRITE,
 * STORE_CORRUPT for a damaged shard, and what readManifest throws; STORE_VERSION for a newer version.
 */
export async function migrate(storePath: string, work: Work = {}): Promise<MigrateResult> {
  const store = resolve(storePath);
  await readManifest(store); // no lock is left in a folder that is no store
  const lock = await lockStore(store, 'permafrost migrate', lockRequest(work));
  try {
    const draft = await openForWriting(store, VERSION);
    const { manifest } = draft;
    const from = manifest.version;
    let meter: ReturnType<typeof progressMeter> | undefined;
    const rewritten = await takeLabelsOut(draft, (_done, total) => {
      meter ??= progressMeter('migrating', total, work.listener, 'shards');
      meter.advance(1, 1);
    });
    if (manifest.version !== versionFor(manifest)) await writeManifest(draft);
    const { sets, version: to } = manifest;
    const shards = sets.reduce((sum, set) => sum + set.shards.length, 0);
    const rows = sets.reduce((sum, set) => sum + rowsOf(set), 0);
    return { store, from, to, sets: sets.length, shards, rows, rewritten };
  } finally {
    await lock.release();
  }
}
