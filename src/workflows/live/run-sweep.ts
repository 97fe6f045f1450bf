import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { SweepCandidate, SweepResult } from '../../core/sweep-result.ts';
import { sweep, type SweepRequest } from '../sweep.ts';

/** What the process that sweeps is told: what to do, then perhaps to stop. */
export type SweepOrder =
  { readonly do: 'sweep'; readonly store: string; readonly request: SweepRequest } | { readonly do: 'stop' };

export type SweepNews =
  | {
      readonly kind: 'candidate';
      readonly candidate: SweepCandidate;
      readonly done: number;
      readonly total: number;
    }
  | { readonly kind: 'done'; readonly result: SweepResult }
  | { readonly kind: 'failed'; readonly problem: string; readonly interrupted: boolean };

// A process of its own: stopping ends threads in the middle of native products, which may take their process with them, and all cores
// are busy meanwhile with what the studio's own process would otherwise share.
const stopping = new AbortController();
const tell = (news: SweepNews): void => void process.send!(news);
// A studio that was killed takes its sweep with it; what was found is in the store.
process.once('disconnect', () => process.exit());
process.on('message', (message) => {
  const order = message as SweepOrder;
  if (order.do === 'stop') {
    stopping.abort();
    return;
  }
  sweep(order.store, order.request, {
    signal: stopping.signal,
    onCandidate: (candidate, { done, total }) => tell({ kind: 'candidate', candidate, done, total }),
  })
    .then(
      (result): SweepNews => ({ kind: 'done', result }),
      (error: unknown): SweepNews => ({
        kind: 'failed',
        problem: reasonOf(error),
        interrupted: error instanceof PermafrostError && error.code === 'INTERRUPTED',
      }),
    )
    .then((news) => process.send!(news, () => process.disconnect()))
    .catch(() => process.exit(1)); // the studio has gone: nobody is left to tell
});
