import { resolve } from 'node:path';
import type { VerifyResult } from '../core/results.ts';
import { verifyStore } from '../store/verify.ts';
import type { Work } from './work.ts';
import { progressMeter } from './progress-meter.ts';
import { VERSION } from './version.ts';

/** Reads every byte of a store and names each file that is not what was written. Changes nothing, and needs no lock. */
export async function verify(storePath: string, { listener }: Work = {}): Promise<VerifyResult> {
  const store = resolve(storePath);
  let meter: ReturnType<typeof progressMeter> | undefined;
  const { damaged, orphans, files, bytes } = await verifyStore(store, VERSION, (_done, total) => {
    meter ??= progressMeter('verifying', total, listener);
    meter.advance(1, 0);
  });
  return { store, ok: damaged.length === 0, files, bytes, damaged, orphans };
}
