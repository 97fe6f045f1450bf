import { Hono, type Context } from 'hono';
import * as z from 'zod';
import type { Api } from '../../api/api.ts';
import { jsonOf } from '../../../http/body.ts';
import { snapshotOf } from '../snapshot-of.ts';
import { sendPicture } from './images.ts';
import type { Studio } from '../studio.ts';

const nameSchema = z.strictObject({ name: z.string() });
const saveSchema = z.strictObject({ as: z.enum(['head', 'dataset']), name: z.string() });

const idOf = (c: Context): number => {
  const text = c.req.param('id') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : -1;
};

/** Teach: classes that the user makes, their images, and the head that is fitted to them. */
export function teachRoutes(studio: Studio): Hono {
  const { teach, pictures, uploaded } = studio;
  const routes = new Hono();
  const state = async (c: Context, work?: Promise<void>): Promise<Response> => {
    await work;
    return c.json((await teach.state(await snapshotOf(c, studio))) satisfies Api['GET /api/teach']);
  };

  routes.get('/teach', (c) => state(c));
  routes.post('/teach/classes', async (c) => state(c, teach.addClass((await jsonOf(c, nameSchema)).name)));
  routes.patch('/teach/classes/:id', async (c) =>
    state(c, teach.renameClass(idOf(c), (await jsonOf(c, nameSchema)).name)),
  );
  routes.delete('/teach/classes/:id', (c) => state(c, teach.removeClass(idOf(c))));
  routes.post('/teach/classes/:id/images', async (c) => {
    const take = c.req.query('take');
    const named = { name: c.req.query('name') ?? '', ...(take && { take }) };
    const added = await uploaded(c, async (bytes) =>
      teach.addImage(idOf(c), { bytes, ...named }, await snapshotOf(c, studio)),
    );
    return c.json(added satisfies Api['POST /api/teach/classes/:id/images']);
  });
  routes.delete('/teach/images/:id', (c) => state(c, teach.removeImage(idOf(c))));
  routes.post('/teach/undo', (c) => state(c, teach.undo()));
  routes.post('/teach/clear', (c) => state(c, teach.clear()));
  routes.post('/teach/ask', async (c) => {
    const answer = await uploaded(c, async (bytes) => teach.ask(bytes, await snapshotOf(c, studio)));
    return c.json(answer satisfies Api['POST /api/teach/ask']);
  });
  routes.post('/teach/save', async (c) => {
    const { as, name } = await jsonOf(c, saveSchema);
    const saved =
      as === 'head'
        ? await teach.saveHead(name, await snapshotOf(c, studio))
        : await teach.saveDataset(name, studio.taughtFolder);
    return c.json(saved satisfies Api['POST /api/teach/save']);
  });
  routes.get('/teach/pictures/:file{[0-9a-f]{64}\\.webp}', async (c) => {
    const sha256 = c.req.param('file').slice(0, 64);
    const bytes = await pictures.given(sha256, () => teach.image(sha256), 'thumbnail');
    return sendPicture(c, bytes);
  });
  return routes;
}
