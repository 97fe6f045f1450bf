import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { GcResult } from '../../results/store-results.ts';
import { compactSet } from '../../store/care/compact.ts';
import { contentIndex } from '../../store/format/content-index.ts';
import { requireHeld } from '../../store/format/lock/held-locks.ts';
import { lockStore } from '../../store/write/lock.ts';
import { coveringSets, restingOn, rowsOf } from '../../store/format/manifest.ts';
import { readManifest, renewCopy, writeManifest } from '../../store/format/manifest-file.ts';
import { storeAt } from '../../store/open.ts';
import { removeFile } from '../../store/format/atomic-file.ts';
import { sealsFirst } from '../../store/write/leftovers.ts';
import { sealUnsealed } from '../../store/write/seal-unsealed.ts';
import { shardFileNames } from '../../store/write/shard-files.ts';
import { unsealedOfOthers } from '../../store/write/unsealed-rows.ts';
import { verifyStore } from '../../store/care/verify.ts';
import { lockRequest } from '../take-over.ts';
import { mergedRuns, removeMerged } from '../machines/runs.ts';
import type { Work } from '../work.ts';
import { GC_OPTIONS, type GcOptions } from './gc-options.ts';
import { VERSION } from '../version.ts';
import { reportMigration } from '../store-version.ts';

/**
 * Removes what the current data set does not need: rows of other images, other sets with `otherSets`, leftovers, rows
 * that an interrupted extraction kept of a set that has no shard, and plans with their units that were merged and kept;
 * those that were not merged stay. Refuses a damaged store. Throws STORE_LOCKED, STORE_CORRUPT and what readManifest
 * throws.
 */
export async function gc(storePath: string, given: Partial<GcOptions> = {}, work: Work = {}): Promise<GcResult> {
  const { listener } = work;
  const { otherSets, tunedSets, dryRun } = resolveOptions('gc', GC_OPTIONS, given);
  const path = resolve(storePath);
  await readManifest(path); // no lock is left in a folder that is no store
  const lock = await lockStore(path, 'permafrost gc', lockRequest(work));
  try {
    const { store, damaged: found, orphans } = await verifyStore(path, VERSION);
    // What a person or another command made decides nothing here.
    const damaged = found.filter(({ remedy }) => remedy !== 'tell');
    const { manifest } = store;
    if (damaged.length > 0) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} has ${damaged.length} damaged files, first ${damaged[0]!.name}. Run "permafrost repair" before anything is removed.`,
      );
    }
    for (const { name, problem } of found) listener?.note?.(`${name} is damaged and stays: ${problem}.`);
    const from = manifest.version;
    const needed = contentIndex();
    for (const { sha256 } of await storeAt(store).samples()) needed.add(sha256);
    let removedBytes = 0;
    const remove = async (names: readonly string[]): Promise<void> => {
      await requireHeld(path); // verifying takes long
      for (const name of sealsFirst(names)) {
        removedBytes += await stat(join(path, name)).then(
          ({ size }) => size,
          () => 0,
        );
        if (!dryRun) await removeFile(join(path, name));
      }
    };
    // First of all: what is written below may get the name of a shard that a killed run had begun.
    await remove(orphans);
    const merged = await mergedRuns(path);
    for (const { bytes } of merged) removedBytes += bytes;
    if (!dryRun) await removeMerged(path, merged);
    const stale: string[] = [];
    let droppedSets = 0;
    let droppedRows = 0;
    if (tunedSets) delete manifest.dataset.tuned;
    if (otherSets || tunedSets) {
      const current = new Set(coveringSets(manifest).map(({ fingerprint }) => fingerprint));
      const others = manifest.sets.filter(
        ({ fingerprint, tuned }) => !current.has(fingerprint) && (otherSets || tuned !== undefined),
      );
      droppedSets = others.length;
      droppedRows += others.reduce((sum, set) => sum + rowsOf(set), 0);
      for (const { shards } of others) for (const shard of shards) stale.push(...shardFileNames(shard));
      manifest.sets = manifest.sets.filter((set) => !others.includes(set));
      const kept = new Set(manifest.sets.flatMap(restingOn).map(({ name }) => name));
      for (const { name } of others.flatMap(restingOn)) if (!kept.has(name) && !stale.includes(name)) stale.push(name);
      if (!dryRun) await writeManifest(store);
    }
    for (const name of await unsealedOfOthers(path, manifest.sets)) stale.push(name);
    if (!dryRun) await sealUnsealed(store);
    for (const set of manifest.sets) {
      const done = await compactSet(store, set, (sha256) => needed.find(sha256) >= 0, dryRun);
      droppedRows += done.droppedRows;
      for (const name of done.staleFiles) stale.push(name);
      if (done.rewrittenShards > 0 && !dryRun)
        listener?.note?.(
          `${set.settings.cut}: wrote ${done.rewrittenShards} shards anew without the rows that nothing needs.`,
        );
    }
    if (!dryRun) await renewCopy(store);
    reportMigration(from, manifest, listener);
    await remove(stale);
    const removedFiles = orphans.length + stale.length + merged.reduce((sum, { files }) => sum + files, 0);
    return { store: path, dryRun, droppedRows, droppedSets, removedFiles, removedBytes };
  } finally {
    await lock.release();
  }
}
