import type { Listener } from '../core/listener.ts';

/** What every workflow takes beside its options: how to stop it, whom it reports to, and whose lock it minds. */
export interface Work {
  readonly signal?: AbortSignal | undefined;
  readonly listener?: Listener | undefined;
  /**
   * Takes over at once the lock of a process of another machine or container, which the caller knows to be gone.
   * Default: false, until it has given no sign of life for ten minutes. A process that lives here keeps its lock.
   */
  readonly takeOver?: boolean | undefined;
}
