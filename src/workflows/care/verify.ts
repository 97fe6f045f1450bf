import { resolve } from 'node:path';
import type { Listener } from '../../core/listener.ts';
import type { VerifyResult } from '../../results/store-results.ts';
import { MANIFEST_COPY_NAME, MANIFEST_NAME } from '../../store/format/manifest.ts';
import { missingRows } from '../../store/care/missing-rows.ts';
import { openOrRebuild } from '../../store/care/rebuild.ts';
import { verifyStore, type DamagedFileResult } from '../../store/care/verify.ts';
import { isTemporary } from '../../store/format/temporary-files.ts';
import { storeAt } from '../../store/open.ts';
import { manifestStamp, readAgain, storeChanged } from '../../store/read/changed.ts';
import { leftovers } from '../../store/write/leftovers.ts';
import { isLocked } from '../../store/write/lock.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import { VERSION } from '../version.ts';

/**
 * Reads every byte of a store, the studio's too, and names each file that is not what was written, and each set that
 * lacks images of the data set (docs/store-format.md says by what each kind of file is proven). Needs no lock: what a
 * writer replaces meanwhile is read again. Throws STORE_CHANGED where that is so each time, and what readManifest
 * throws.
 */
export async function verify(storePath: string, { listener }: Work = {}): Promise<VerifyResult> {
  const store = resolve(storePath);
  const { damaged, missing, unfinished, orphans, files, bytes } = await readAgain(() => look(store, listener));
  return {
    store,
    ok: damaged.length === 0 && missing.length === 0,
    files,
    bytes,
    damaged,
    missing,
    unfinished,
    orphans,
  };
}

/** One look at all. Throws STORE_CHANGED where a writer replaced what seemed damaged. */
async function look(store: string, listener: Listener | undefined) {
  let meter: ReturnType<typeof progressMeter> | undefined;
  const before = await manifestStamp(store);
  const isWritten = async (): Promise<boolean> =>
    (await manifestStamp(store)) !== before || (before !== 'none' && (await isLocked(store)));
  const health = await verifyStore(store, VERSION, (_done, total) => {
    meter ??= progressMeter('verifying', total, listener);
    meter.advance(1, 0);
  });
  const { damaged, unfinished, orphans } = health;
  if (damaged.length > 0 && (await isWritten())) await requireDamaged(store, damaged);
  // What a store lacks is asked of its shards: they must be whole.
  const isReadable = damaged.every(({ name, remedy }) => remedy !== 'extract' && name !== MANIFEST_NAME);
  const missing = isReadable
    ? await missingRows(storeAt(health.store)).catch(async (error: unknown) => {
        throw (await isWritten()) ? storeChanged(store, 'its manifest was replaced', error) : error;
      })
    : [];
  // A writer at work is about to renew the copy.
  const isBehind = unfinished.some(({ name }) => name === MANIFEST_COPY_NAME) && !(await isWritten());
  return {
    ...health,
    missing,
    unfinished: unfinished.filter(({ name }) => name !== MANIFEST_COPY_NAME || isBehind),
    orphans: orphans.length > 0 && (await isWritten()) ? await stillLeftOver(store, orphans) : orphans,
  };
}

/** Looks again at a store that is written to. Throws STORE_CHANGED where what seemed damaged is whole or gone. */
async function requireDamaged(store: string, damaged: readonly DamagedFileResult[]): Promise<void> {
  const now = new Set((await verifyStore(store, VERSION)).damaged.map(({ name }) => name));
  const other = damaged.find(({ name }) => !now.has(name));
  if (other !== undefined) throw storeChanged(store, `${other.name} is not its file any more`);
}

/** Of files that nothing refers to those that are left over: a writer at work names what it writes later. */
async function stillLeftOver(path: string, names: readonly string[]): Promise<readonly string[]> {
  if (await isLocked(path)) return names.filter(isTemporary);
  const { store } = await openOrRebuild(path, VERSION);
  const now = new Set(await leftovers(store));
  return names.filter((name) => now.has(name));
}
