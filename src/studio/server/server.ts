import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { PermafrostError, reasonOf, type ErrorCode } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { listen } from '../../http/listen.ts';
import type { Work } from '../../workflows/work.ts';
import type { ApiError } from '../api/api.ts';
import { guard } from './guard.ts';
import { pageFiles } from './page-files.ts';
import { headRoutes } from './routes/heads.ts';
import { imageRoutes } from './routes/images.ts';
import { reviewRoutes } from './routes/review.ts';
import { searchRoutes } from './routes/search.ts';
import { sweepRoutes } from './routes/sweep.ts';
import { teachRoutes } from './routes/teach.ts';
import { STUDIO_OPTIONS, type StudioOptions } from './options.ts';
import { openStudio } from './studio.ts';

export type { StudioOptions };

/** The studio listens nowhere else. */
const HOST = '127.0.0.1';

/** Status of an answer that nobody waits for any more, as nginx has it. */
const CLIENT_GONE = 499;

/** HTTP status by error code; the rest are the studio's own faults. */
const STATUS: Readonly<Partial<Record<ErrorCode, 400 | 404 | 409 | 422>>> = {
  OPTION_INVALID: 400,
  FIT_INVALID: 400,
  DATASET_LAYOUT: 400,
  IMAGE_UNREADABLE: 404,
  IMAGE_UNDECODABLE: 422,
  STORE_EMPTY: 409,
  STORE_LOCKED: 409,
  FINGERPRINT_MISMATCH: 409,
  HEAD_CORRUPT: 409,
};

/** A studio that runs until it is closed. */
export interface RunningStudio {
  /** The address with the token: whoever has it may use the studio. */
  readonly address: string;
  readonly port: number;
  /** Ends it; what was taught and reviewed stays in the store. */
  close(): Promise<void>;
}

/**
 * Serves a store's studio on 127.0.0.1: browse, search, teach, sweep, review. Throws STORE_NOT_FOUND, STORE_EMPTY,
 * STORE_LOCKED (another studio has it), PACKAGE_MISSING, and OPTION_INVALID where the port is taken.
 */
export async function serveStudio(
  storePath: string,
  given: Partial<StudioOptions> = {},
  { listener = {}, takeOver }: Pick<Work, 'listener' | 'takeOver'> = {},
): Promise<RunningStudio> {
  const options = resolveOptions('studio', STUDIO_OPTIONS, given);
  const files = await pageFiles();
  const studio = await openStudio(storePath, options, listener, takeOver);
  const token = randomBytes(24).toString('base64url');
  let port = options.port;
  const home = `/${randomBytes(12).toString('base64url')}/`;
  const app = new Hono();
  app.use(guard({ token, home, port: () => port }));
  const api = new Hono();
  for (const routes of [imageRoutes, searchRoutes, headRoutes, teachRoutes, sweepRoutes, reviewRoutes])
    api.route('/', routes(studio));
  // The page asks below its own path, programs need not know that.
  for (const path of [`${home}api`, '/api']) app.route(path, api);
  app.get('*', (c) => {
    const { path } = c.req;
    const file = files.get(path.startsWith(home) ? path.slice(home.length - 1) : path);
    if (file === undefined) throw new HTTPException(404, { message: 'There is nothing at this address.' });
    return c.body(file.bytes, 200, { 'Content-Type': file.type });
  });
  app.onError((error, c) => {
    // Nobody waits for an answer.
    if (c.req.raw.signal.aborted) return new Response(null, { status: CLIENT_GONE });
    if (error instanceof HTTPException) {
      if (error.status === 413 || error.status === 408) c.header('Connection', 'close');
      return c.json({ code: 'REFUSED', message: error.message } satisfies ApiError, error.status);
    }
    if (error instanceof PermafrostError)
      return c.json({ code: error.code, message: error.message } satisfies ApiError, STATUS[error.code] ?? 500);
    listener.note?.(`The studio failed: ${error.stack ?? reasonOf(error)}`);
    return c.json({ code: 'INTERNAL', message: reasonOf(error) } satisfies ApiError, 500);
  });
  try {
    const listening = await listen(app.fetch, { host: HOST, port: options.port, owner: 'The studio' });
    port = listening.port;
    return {
      address: `http://${HOST}:${port}/?token=${token}`,
      port,
      async close() {
        const closed = new Promise<void>((resolve) => listening.server.close(() => resolve()));
        listening.server.closeAllConnections();
        await closed;
        await studio.close();
      },
    };
  } catch (error) {
    await studio.close();
    throw error;
  }
}
