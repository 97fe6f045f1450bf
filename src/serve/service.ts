import type { Ready } from './api.ts';
import type { OpenHead } from './heads.ts';
import type { Metrics } from './metrics.ts';
import type { Queue } from './queue.ts';

/** Everything that the routes ask. */
export interface Service {
  readonly state: () => Ready['status'];
  /** The open heads, the first the one that answers where none is named. Throws 503 while they are opened. */
  readonly heads: () => readonly OpenHead[];
  /** Most bytes of a request. */
  readonly limits: { readonly bytes: number };
  readonly queue: Queue;
  readonly metrics: Metrics;
}
