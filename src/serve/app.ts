import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Listener } from '../core/listener.ts';
import { guard } from './guard.ts';
import type { ServeOptions } from './options.ts';
import { refusals } from './refusal.ts';
import { headRoutes } from './routes/heads.ts';
import { healthRoutes } from './routes/health.ts';
import { pageRoutes } from './routes/page.ts';
import { predictRoutes } from './routes/predict.ts';
import type { Service } from './service.ts';

export interface AppRequest {
  readonly service: Service;
  readonly options: Pick<ServeOptions, 'host' | 'token'>;
  /** The port that it listens on. */
  readonly port: () => number;
  /** The text of the page's script. */
  readonly script: string;
  readonly listener: Listener;
}

/** The service as an application: a function from requests to answers. */
export function serviceApp({ service, options, port, script, listener }: AppRequest): Hono {
  const app = new Hono();
  app.use(service.metrics.watch);
  app.use(guard(options, port));
  app.route('/', healthRoutes(service));
  app.route('/', predictRoutes(service));
  app.route('/', headRoutes(service));
  app.route('/', pageRoutes(script));
  app.notFound(() => {
    throw new HTTPException(404, { message: 'There is nothing at this address. GET / shows what there is.' });
  });
  app.onError(refusals(service.queue, listener));
  return app;
}
