import { resolve } from 'node:path';
import type { Listener } from '../../core/listener.ts';
import type { VerifyResult } from '../../results/store-results.ts';
import { damagedStudioFiles } from '../../store/format/studio-files.ts';
import { missingRows } from '../../store/care/missing-rows.ts';
import { openOrRebuild, verifyStore, type DamagedFileResult } from '../../store/care/verify.ts';
import { isTemporary } from '../../store/format/temporary-files.ts';
import { manifestStamp, readAgain, storeChanged } from '../../store/read/changed.ts';
import { leftovers } from '../../store/write/leftovers.ts';
import { isLocked } from '../../store/write/lock.ts';
import { storeAt } from '../../store/open.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import { VERSION } from '../version.ts';

/**
 * Reads every byte of a store, the studio's too, and names each file that is not what was written, and each set that
 * lacks images of the data set. Needs no lock: what a writer replaces meanwhile is read again. Throws STORE_CHANGED
 * where that is so each time, and what readManifest throws.
 */
export async function verify(storePath: string, { listener }: Work = {}): Promise<VerifyResult> {
  const store = resolve(storePath);
  const features = await readAgain(() => verifyFeatures(store, listener));
  const studio = await damagedStudioFiles(store);
  const { missing, orphans } = features;
  const damaged = [...features.damaged, ...studio.damaged.map((file) => ({ ...file, rows: 0 }))];
  return {
    store,
    ok: damaged.length === 0 && missing.length === 0,
    files: features.files + studio.files,
    bytes: features.bytes + studio.bytes,
    damaged,
    missing,
    orphans,
  };
}

/** The store but for the studio's folder. Throws STORE_CHANGED where what is wrong is so no more. */
async function verifyFeatures(store: string, listener: Listener | undefined) {
  let meter: ReturnType<typeof progressMeter> | undefined;
  const before = await manifestStamp(store);
  const found = await verifyStore(store, VERSION, (_done, total) => {
    meter ??= progressMeter('verifying', total, listener);
    meter.advance(1, 0);
  });
  if (found.damaged.length > 0) await requireDamaged(store, found.damaged);
  const missing =
    found.damaged.length > 0
      ? []
      : await missingRows(storeAt(found.store)).catch(async (error: unknown) => {
          const isSame = (await manifestStamp(store)) === before;
          throw isSame ? error : storeChanged(store, 'its manifest was replaced', error);
        });
  return { ...found, missing, orphans: await stillLeftOver(store, found.orphans) };
}

/** Looks at damaged files again, in the store as it is now. Throws STORE_CHANGED where some are whole or gone. */
async function requireDamaged(store: string, damaged: readonly DamagedFileResult[]): Promise<void> {
  const names = new Set(damaged.map(({ name }) => name));
  const now = new Set((await verifyStore(store, VERSION, undefined, names)).damaged.map(({ name }) => name));
  const other = damaged.find(({ name }) => !now.has(name));
  if (other !== undefined) throw storeChanged(store, `${other.name} is not its file any more`);
}

/** Of files that nothing refers to those that are left over: a writer at work names what it writes later. */
async function stillLeftOver(path: string, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return names;
  if (await isLocked(path)) return names.filter(isTemporary);
  const { store } = await openOrRebuild(path, VERSION);
  const now = new Set(await leftovers(store));
  return names.filter((name) => now.has(name));
}
