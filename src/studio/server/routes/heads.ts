import { basename } from 'node:path';
import { Hono } from 'hono';
import * as z from 'zod';
import { PermafrostError } from '../../../core/errors.ts';
import { savings } from '../../../core/mutex.ts';
import { POOLING_CHOICES } from '../../../core/sample.ts';
import { inMegabytes } from '../../../core/words.ts';
import { train } from '../../../workflows/train/train.ts';
import { TRAIN_OPTIONS } from '../../../workflows/train/options.ts';
import type { Api } from '../../api/api.ts';
import type { Snapshot } from '../../live/snapshot.ts';
import { jsonOf } from '../../../http/body.ts';
import { snapshotOf } from '../snapshot-of.ts';
import type { Studio } from '../studio.ts';

const requestSchema = z.strictObject({
  head: z.enum(TRAIN_OPTIONS.head.choices!),
  pooling: z.enum(POOLING_CHOICES),
  /** The features that the page is seen through, or the deepest cut of each network side by side. */
  on: z.enum(['chosen', 'all']).default('chosen'),
});

/** What `--cut` is for a head; '' for the primary features, whose heads are named after the pooling alone. */
function cutOf({ networks, features, tuned }: Snapshot, on: 'chosen' | 'all'): string {
  const deepest = networks.map(({ sets }) => sets[0].name);
  if (on === 'all') return deepest.join(',');
  return tuned !== '' || features.name === deepest[0] ? '' : features.name;
}

/** Heads trained on demand, with their defaults, on the store's training images. */
export function headRoutes(studio: Studio): Hono {
  const { heads, jobs } = studio;
  const saving = savings();
  const routes = new Hono();
  routes.post('/heads', async (c) => {
    const { on, ...request } = await jsonOf(c, requestSchema);
    const snapshot = await snapshotOf(c, studio);
    const options = {
      ...(request as Parameters<typeof train>[1]),
      cut: cutOf(snapshot, on),
      backboneFile: snapshot.tuned,
    };
    const { file } = await saving(`${snapshot.name}/${JSON.stringify(options)}`, () =>
      jobs.run(snapshot, 'The training of a head', (room) =>
        train(snapshot.store.path, { ...options, memory: inMegabytes(room) }),
      ),
    );
    const found = (await heads.list(await snapshotOf(c, studio))).find(({ id }) => id === basename(file!));
    if (found === undefined) throw new PermafrostError('HEAD_CORRUPT', `${file} is gone already.`);
    return c.json(found satisfies Api['POST /api/heads']);
  });
  return routes;
}
