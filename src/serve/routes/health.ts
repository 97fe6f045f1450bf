import { Hono } from 'hono';
import { VERSION } from '../../workflows/version.ts';
import type { Ready } from '../api.ts';
import type { Service } from '../service.ts';

/** What probes and Prometheus ask. */
export function healthRoutes({ state, metrics }: Service): Hono {
  const routes = new Hono();
  routes.get('/healthz', (c) => c.json({ status: 'ok', permafrost: VERSION }));
  routes.get('/readyz', (c) => {
    const status = state();
    return c.json({ status } satisfies Ready, status === 'ready' ? 200 : 503);
  });
  routes.get('/metrics', (c) => c.body(metrics.text(), 200, { 'Content-Type': metrics.contentType }));
  return routes;
}
