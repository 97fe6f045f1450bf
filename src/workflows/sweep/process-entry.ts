// A process of its own, started by process.ts: it sweeps once, reports what it finds, and ends.
import { PermafrostError, reasonOf, type ErrorCode } from '../../core/errors.ts';
import type { Progress } from '../../core/listener.ts';
import type { SweepCandidate, SweepResult } from '../../results/sweep-result.ts';
import { sweep, type SweepRequest } from './sweep.ts';

/** What the process is ordered: to sweep, then perhaps to stop. */
export type SweepOrder =
  { readonly do: 'sweep'; readonly store: string; readonly request: SweepRequest } | { readonly do: 'stop' };

export type SweepNews =
  | {
      readonly kind: 'candidate';
      readonly candidate: SweepCandidate;
      readonly state: { readonly done: number; readonly total: number };
    }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'progress'; readonly state: Progress }
  | { readonly kind: 'done'; readonly result: SweepResult }
  /** `code` is null for what is no PermafrostError. */
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode | null;
      readonly message: string;
      readonly stack: string;
    };

const stopping = new AbortController();
const send = (news: SweepNews): void => void process.send!(news);
// Whoever was killed takes the sweep along; what was found is in the store.
process.once('disconnect', () => process.exit());
// Ctrl-C in a terminal reaches this process too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
// When the terminal closes too; but whether that ends the work the parent says, which may run under nohup.
process.on('SIGHUP', () => undefined);
process.on('message', (message) => {
  const order = message as SweepOrder;
  if (order.do === 'stop') {
    stopping.abort();
    return;
  }
  sweep(order.store, order.request, {
    signal: stopping.signal,
    listener: { note: (text) => send({ kind: 'note', text }), progress: (state) => send({ kind: 'progress', state }) },
    onCandidate: (candidate, state) => send({ kind: 'candidate', candidate, state }),
  })
    .then(
      (result): SweepNews => ({ kind: 'done', result }),
      (error: unknown): SweepNews => ({
        kind: 'failed',
        code: error instanceof PermafrostError ? error.code : null,
        message: reasonOf(error),
        stack: String((error as Error).stack ?? error),
      }),
    )
    .then((news) => process.send!(news, () => process.disconnect()))
    .catch(() => process.exit(1)); // nobody is left to tell
});
