import { join } from 'node:path';
import { expect, it } from 'vitest';
import { worker } from '../../../../src/workflows/machines/queue/worker.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { storedRow } from '../../../support/stored-rows.ts';
import { fillStore } from '../../../support/stores.ts';

const folder = temporaryFolders();
const RUN = '0123456789abcdef';
// Nobody listens there, and nobody is asked.
const QUEUE = 'redis://127.0.0.1:9/0';

it('a worker that begins after the merge has nothing to do, and says why', async () => {
  const { store } = await fillStore(join(folder(), 'store'), [storedRow('ant.jpg'), storedRow('bee.jpg')], {});
  const notes: string[] = [];
  const work = { listener: { note: (text: string) => notes.push(text) } };
  const result = await worker(QUEUE, { plan: join(store, 'parts', RUN) }, work);
  expect(result).toMatchObject({ run: RUN, queue: QUEUE, units: { made: 0, failed: 0 }, missing: 0 });
  expect(notes.join()).toMatch(/run was merged: nothing is left to do/);
});

it('a plan that never was is none that was merged', async () => {
  const plan = join(folder(), 'parts', RUN);
  await rejection(worker(QUEUE, { plan }), 'QUEUE_UNAVAILABLE');
});
