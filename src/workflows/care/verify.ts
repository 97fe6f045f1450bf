import { resolve } from 'node:path';
import type { VerifyResult } from '../../results/store-results.ts';
import { MANIFEST_NAME } from '../../store/format/manifest.ts';
import { missingRows } from '../../store/care/missing-rows.ts';
import { verifyStore } from '../../store/care/verify.ts';
import { storeAt } from '../../store/open.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import { VERSION } from '../version.ts';

/**
 * Reads every byte of a store, the studio's too, and names each file that is not what was written, and each set that
 * lacks images of the data set (docs/store-format.md says by what each kind of file is proven). Needs no lock.
 */
export async function verify(storePath: string, { listener }: Work = {}): Promise<VerifyResult> {
  const store = resolve(storePath);
  let meter: ReturnType<typeof progressMeter> | undefined;
  const health = await verifyStore(store, VERSION, (_done, total) => {
    meter ??= progressMeter('verifying', total, listener);
    meter.advance(1, 0);
  });
  const { damaged, unfinished, orphans, files, bytes } = health;
  // What a store lacks is asked of its shards: they must be whole.
  const isReadable = damaged.every(({ name, remedy }) => remedy !== 'extract' && name !== MANIFEST_NAME);
  const missing = isReadable ? await missingRows(storeAt(health.store)) : [];
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
