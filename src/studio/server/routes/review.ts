import { Hono, type Context } from 'hono';
import * as z from 'zod';
import type { Api } from '../../api/api.ts';
import { jsonOf } from '../body.ts';
import type { Studio } from '../studio.ts';

/** A label that is given in the review. */
export const LABEL = z.string().max(200);

const decisionSchema = z.strictObject({ path: z.string(), label: LABEL });

/** Review: suspected label errors, decisions, and the list of labels that comes of them. */
export function reviewRoutes({ review, store }: Studio): Hono {
  const routes = new Hono();
  const state = async (c: Context): Promise<Response> =>
    c.json((await review.state(await store.current())) satisfies Api['GET /api/review']);

  routes.get('/review', state);
  routes.post('/review/decisions', async (c) => {
    const { path, label } = await jsonOf(c, decisionSchema);
    await review.decide(path, label, await store.current());
    return state(c);
  });
  routes.post('/review/undo', async (c) => {
    await review.undo();
    return state(c);
  });
  routes.post('/review/save', async (c) => {
    const saved = await review.save(await store.current());
    return c.json(saved satisfies Api['POST /api/review/save']);
  });
  return routes;
}
