import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { headFacts } from '../heads.ts';
import type { Service } from '../service.ts';

/** Which heads answer. */
export function headRoutes({ heads }: Service): Hono {
  const routes = new Hono();
  routes.get('/heads', (c) => c.json({ heads: heads().map(headFacts) }));
  routes.get('/heads/:name', (c) => {
    const name = c.req.param('name');
    const found = heads().find((one) => one.name === name);
    if (found === undefined) throw new HTTPException(404, { message: `There is no head ${JSON.stringify(name)}.` });
    return c.json(headFacts(found));
  });
  return routes;
}
