import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import * as z from 'zod';
import { POOLINGS } from '../../core/sample.ts';
import type { SweepState } from '../../core/studio-data.ts';
import type { Api } from '../api.ts';
import { jsonOf } from '../body.ts';
import type { Studio } from '../studio.ts';

/** A state is sent at most this often, in milliseconds; the last one always. */
const PAUSE_MS = 200;

const wishSchema = z.strictObject({
  pooling: z.array(z.enum(POOLINGS)).min(1),
  folds: z.number().int().min(2).max(20),
  save: z.boolean(),
});

/** Sweep: start one, watch it, stop it. */
export function sweepRoutes({ sweep }: Studio): Hono {
  const routes = new Hono();
  routes.get('/sweep', (c) => c.json(sweep.state satisfies Api['GET /api/sweep']));
  routes.post('/sweep', async (c) => {
    const { pooling, folds, save } = await jsonOf(c, wishSchema);
    sweep.start({ grid: { pooling }, folds, save });
    return c.json(sweep.state satisfies Api['POST /api/sweep']);
  });
  routes.delete('/sweep', async (c) => {
    await sweep.stop();
    return c.json(sweep.state satisfies Api['DELETE /api/sweep']);
  });
  routes.get('/sweep/events', (c) =>
    streamSSE(c, async (stream) => {
      let latest: SweepState | null = sweep.state;
      let wake: () => void = () => undefined;
      const unwatch = sweep.watch((state) => {
        latest = state;
        wake();
      });
      stream.onAbort(() => {
        unwatch();
        wake();
      });
      while (!stream.aborted) {
        if (latest === null) await new Promise<void>((resolve) => (wake = resolve));
        else {
          const state: SweepState = latest;
          latest = null;
          await stream.writeSSE({ data: JSON.stringify(state) });
          await stream.sleep(PAUSE_MS);
        }
      }
    }),
  );
  return routes;
}
