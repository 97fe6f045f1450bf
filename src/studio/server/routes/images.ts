import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import * as z from 'zod';
import { without } from '../../../core/options.ts';
import type { Api } from '../../api/api.ts';
import { browse, BROWSE_OPTIONS } from '../../live/browse.ts';
import type { Snapshot } from '../../live/snapshot.ts';
import { storeFacts } from '../../live/store.ts';
import { viewImage } from '../../live/search.ts';
import { jsonOf } from '../../../http/body.ts';
import { snapshotOf } from '../snapshot-of.ts';
import { LABEL } from './review.ts';
import type { Studio } from '../studio.ts';

/** The query as options: numbers where the table has numbers. What the data set is seen through is no option. */
function queryOptions(c: Context): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(without(c.req.query(), 'features')).map(([key, value]) => {
      const spec = Object.hasOwn(BROWSE_OPTIONS, key) ? BROWSE_OPTIONS[key as keyof typeof BROWSE_OPTIONS] : undefined;
      return [key, spec?.kind === 'number' && value !== '' ? Number(value) : value];
    }),
  );
}

/** The row that an address names, in the snapshot that it names. */
async function named(c: Context, studio: Studio): Promise<{ snapshot: Snapshot; row: number }> {
  const snapshot = await studio.store.named(c.req.param('snapshot') ?? '');
  const text = c.req.param('row') ?? '';
  const row = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(row < snapshot.samples.length))
    throw new HTTPException(404, {
      message: `There is no image ${JSON.stringify(text)}; there are ${snapshot.samples.length}.`,
    });
  return { snapshot, row };
}

/** Sends a WebP that never changes: its address names the snapshot or the digest. */
export function sendPicture(c: Context, bytes: Uint8Array): Response {
  const headers = { 'Content-Type': 'image/webp', 'Cache-Control': 'private, max-age=31536000, immutable' };
  return c.body(new Uint8Array(bytes), 200, headers);
}

/** Browse: facts of the store, pages of images, one image, pictures. */
export function imageRoutes(studio: Studio): Hono {
  const routes = new Hono();
  routes.get('/store', async (c) => {
    const snapshot = await snapshotOf(c, studio);
    const heads = await studio.heads.list(snapshot);
    return c.json({ facts: storeFacts(snapshot), heads } satisfies Api['GET /api/store']);
  });
  routes.get('/images', async (c) => {
    const snapshot = await snapshotOf(c, studio);
    const page = await browse(snapshot, studio.heads, queryOptions(c));
    return c.json(page satisfies Api['GET /api/images']);
  });
  routes.get('/images/:snapshot/:row', async (c) => {
    const { snapshot, row } = await named(c, studio);
    const view = await viewImage(row, c.req.queries('head') ?? [], { ...studio, snapshot });
    return c.json(view satisfies Api['GET /api/images/:snapshot/:row']);
  });
  routes.put('/images/:snapshot/:row/label', async (c) => {
    const { snapshot, row } = await named(c, studio);
    const { label } = await jsonOf(c, z.strictObject({ label: LABEL }));
    await studio.review.decide(snapshot.samples.pathOf(row), label, snapshot);
    const decided = label.trim();
    return c.json({ decided } satisfies Api['PUT /api/images/:snapshot/:row/label']);
  });
  for (const size of ['thumbnail', 'large'] as const) {
    routes.get(`/images/:snapshot/:row/${size}.webp`, async (c) => {
      const { snapshot, row } = await named(c, studio);
      return sendPicture(c, await studio.pictures.stored(snapshot, row, size));
    });
  }
  return routes;
}
