import { Hono, type Context } from 'hono';
import * as z from 'zod';
import type { Api } from '../../api/api.ts';
import { jsonOf } from '../../../http/body.ts';
import { snapshotOf } from '../snapshot-of.ts';
import type { Studio } from '../studio.ts';

/** A label that is given in the review. */
export const LABEL = z.string().max(200);

const decisionSchema = z.strictObject({ path: z.string(), label: LABEL });

/** Review: suspected label errors, decisions, and the list of labels that comes of them. */
export function reviewRoutes(studio: Studio): Hono {
  const { review } = studio;
  const routes = new Hono();
  const state = async (c: Context, work?: Promise<void>): Promise<Response> => {
    await work;
    return c.json((await review.state(await snapshotOf(c, studio))) satisfies Api['GET /api/review']);
  };

  routes.get('/review', (c) => state(c));
  routes.post('/review/decisions', async (c) => {
    const { path, label } = await jsonOf(c, decisionSchema);
    return state(c, review.decide(path, label, await snapshotOf(c, studio)));
  });
  routes.post('/review/undo', (c) => state(c, review.undo()));
  routes.post('/review/save', async (c) => {
    const saved = await review.save(await snapshotOf(c, studio));
    return c.json(saved satisfies Api['POST /api/review/save']);
  });
  return routes;
}
