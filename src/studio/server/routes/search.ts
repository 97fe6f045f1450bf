import { Hono } from 'hono';
import { search } from '../../live/search.ts';
import type { Api } from '../../api/api.ts';
import { snapshotOf } from '../snapshot-of.ts';
import type { Studio } from '../studio.ts';

/** Search: a picture that is not in the store, and the map that it lands on. */
export function searchRoutes(studio: Studio): Hono {
  const routes = new Hono();
  routes.get('/map', async (c) => {
    const snapshot = await snapshotOf(c, studio);
    return c.json(studio.map.answer(snapshot) satisfies Api['GET /api/map']);
  });
  routes.post('/search', async (c) => {
    const answer = await studio.uploaded(c, async (bytes) => {
      const snapshot = await snapshotOf(c, studio);
      return search(bytes, c.req.queries('head') ?? [], {
        snapshot,
        network: studio.network,
        heads: studio.heads,
        places: studio.map.places(snapshot),
      });
    });
    return c.json(answer satisfies Api['POST /api/search']);
  });
  return routes;
}
