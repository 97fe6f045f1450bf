import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import * as z from 'zod';
import type { SweepState } from '../../api/studio-sweep.ts';
import { sweepChoices, withSideBySide } from '../../live/sweep-choices.ts';
import { gridOfAxes } from '../../../workflows/sweep/axes.ts';
import { configurationsOf } from '../../../workflows/sweep/grid.ts';
import { SWEEP_DEFAULTS } from '../../../workflows/sweep/options.ts';
import type { Api } from '../../api/api.ts';
import { jsonOf } from '../../../http/body.ts';
import { snapshotOf } from '../snapshot-of.ts';
import type { Studio } from '../studio.ts';
import { SWEEP_SCORES } from '../../../results/sweep-result.ts';

/** A state is sent at most this often, in milliseconds; the last one always. */
const PAUSE_MS = 200;

const requestSchema = z.strictObject({
  axes: z.record(z.string(), z.string().max(200)),
  folds: z.number().int().min(2).max(20),
  score: z.enum(SWEEP_SCORES).default(SWEEP_DEFAULTS.score),
  save: z.boolean(),
});

/** Sweep: start one, watch it, stop it. */
export function sweepRoutes(studio: Studio): Hono {
  const { sweep } = studio;
  const routes = new Hono();
  routes.get('/sweep', (c) => c.json(sweep.state satisfies Api['GET /api/sweep']));
  routes.get('/sweep/choices', async (c) =>
    c.json(sweepChoices(await snapshotOf(c, studio)) satisfies Api['GET /api/sweep/choices']),
  );
  routes.post('/sweep', async (c) => {
    const { axes, folds, score, save } = await jsonOf(c, requestSchema);
    const snapshot = await snapshotOf(c, studio);
    const grid = withSideBySide(gridOfAxes(axes) ?? {}, snapshot);
    const gridSource = 'The sweep';
    configurationsOf(grid, gridSource); // refused here, not by the process that sweeps
    sweep.start({ grid, gridSource, folds, score, save }, snapshot);
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
