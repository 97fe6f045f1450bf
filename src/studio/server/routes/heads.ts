import { basename } from 'node:path';
import { Hono } from 'hono';
import * as z from 'zod';
import { PermafrostError } from '../../../core/errors.ts';
import { POOLING_CHOICES } from '../../../core/sample.ts';
import { inMegabytes } from '../../../core/words.ts';
import { train } from '../../../workflows/train/train.ts';
import { TRAIN_OPTIONS } from '../../../workflows/train/options.ts';
import type { Api } from '../../api/api.ts';
import { jsonOf } from '../../../http/body.ts';
import type { Studio } from '../studio.ts';

const requestSchema = z.strictObject({ head: z.enum(TRAIN_OPTIONS.head.choices!), pooling: z.enum(POOLING_CHOICES) });

/** Heads trained on demand, with their defaults, on the store's training images. */
export function headRoutes({ store, heads, jobs }: Studio): Hono {
  const routes = new Hono();
  routes.post('/heads', async (c) => {
    const request = await jsonOf(c, requestSchema);
    const snapshot = await store.current();
    const { file } = await jobs.run(snapshot, 'The training of a head', (room) =>
      train(store.path, {
        ...(request as Parameters<typeof train>[1]),
        backboneFile: snapshot.network,
        memory: inMegabytes(room),
      }),
    );
    const found = (await heads.list(await store.current())).find(({ id }) => id === basename(file!));
    if (found === undefined) throw new PermafrostError('HEAD_CORRUPT', `${file} is gone already.`);
    return c.json(found satisfies Api['POST /api/heads']);
  });
  return routes;
}
