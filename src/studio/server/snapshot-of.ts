import type { Context } from 'hono';
import type { Snapshot } from '../live/snapshot.ts';
import type { Studio } from './studio.ts';

/** The data set as a request sees it: through the features that its query names. Throws OPTION_INVALID. */
export const snapshotOf = (c: Context, { store }: Pick<Studio, 'store'>): Promise<Snapshot> =>
  store.current(c.req.query('features') ?? '');
