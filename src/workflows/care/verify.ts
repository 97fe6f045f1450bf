import { resolve } from 'node:path';
import type { VerifyResult } from '../../results/store-results.ts';
import { damagedStudioFiles } from '../../store/format/studio-files.ts';
import { missingRows } from '../../store/care/missing-rows.ts';
import { verifyStore } from '../../store/care/verify.ts';
import { storeAt } from '../../store/open.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import { VERSION } from '../version.ts';

/**
 * Reads every byte of a store, the studio's too, and names each file that is not what was written, and each set that
 * lacks images of the data set. Needs no lock.
 */
export async function verify(storePath: string, { listener }: Work = {}): Promise<VerifyResult> {
  const store = resolve(storePath);
  let meter: ReturnType<typeof progressMeter> | undefined;
  const {
    store: found,
    damaged,
    orphans,
    files,
    bytes,
  } = await verifyStore(store, VERSION, (_done, total) => {
    meter ??= progressMeter('verifying', total, listener);
    meter.advance(1, 0);
  });
  const missing = damaged.length > 0 ? [] : await missingRows(storeAt(found));
  const studio = await damagedStudioFiles(store);
  const all = [...damaged, ...studio.damaged.map((file) => ({ ...file, rows: 0 }))];
  return {
    store,
    ok: all.length === 0 && missing.length === 0,
    files: files + studio.files,
    bytes: bytes + studio.bytes,
    damaged: all,
    missing,
    orphans,
  };
}
