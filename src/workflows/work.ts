import type { Listener } from '../core/listener.ts';

/** What every workflow takes beside its options: how to stop it, and whom it reports to. */
export interface Work {
  readonly signal?: AbortSignal | undefined;
  readonly listener?: Listener | undefined;
}
