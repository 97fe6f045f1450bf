import type { Listener } from '../core/listener.ts';
import { STORE_VERSION } from '../store/format/manifest.ts';

/** Reports that a store found in version `from` is in a newer one, or will be once it is written. */
export function reportMigration(from: number, listener: Listener | undefined): void {
  if (from >= STORE_VERSION) return;
  listener?.note?.(
    `The store is migrated from version ${from} to ${STORE_VERSION}: its features stay as they are, but an older permafrost cannot read it any more.`,
  );
}
