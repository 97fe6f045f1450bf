import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { verify as VerifyCommand } from '../../src/workflows/care/verify.ts';
import { built } from '../support/built.ts';
import { api, startStudio } from '../support/studio.ts';
import type { PowerDisk } from './power-disk.ts';

const { verify } = await built<{ readonly verify: typeof VerifyCommand }>('workflows/care/verify.js');

/** What the studio has said to be kept, and what of it was lost when the power was cut. */
export interface StudioCut {
  readonly acknowledged: number;
  readonly problems: readonly string[];
}

/** The entries of a journal of the studio. */
function entriesIn(store: string, name: string): number {
  const path = join(store, 'studio', name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}

/**
 * Teaches and reviews in a studio by two clients at once, and cuts the power of its disk when so many changes were
 * acknowledged. `image`: the bytes of an image; other bytes behind it make others of it.
 */
export async function studioCut(
  disk: PowerDisk,
  store: string,
  image: Uint8Array,
  changes: number,
): Promise<StudioCut> {
  const problems: string[] = [];
  const before = { taught: entriesIn(store, 'teach.jsonl'), reviewed: entriesIn(store, 'review.jsonl') };
  const studio = await startStudio(store);
  const { classes } = await api<{ classes: { id: number }[] }>(studio, 'POST', '/api/teach/classes', {
    name: `class ${before.taught}`,
  });
  const { snapshot } = await api<{ snapshot: string }>(studio, 'GET', '/api/images');
  let [taught, reviewed] = [1, 0];
  let isCut = false;
  const cutWhenDue = (): void => {
    if (isCut || taught + reviewed < changes) return;
    isCut = true;
    disk.cut();
    studio.child.kill('SIGKILL');
  };
  async function client(change: (n: number) => Promise<unknown>, acknowledge: () => void): Promise<void> {
    for (let n = 0; !isCut; n++) {
      // Once the disk is gone a change may fail; what was said before counts.
      const isDone = await change(n).then(
        () => true,
        (error: unknown) => {
          if (!isCut) throw error;
          return false;
        },
      );
      if (!isDone || isCut) return;
      acknowledge();
      cutWhenDue();
    }
  }
  const ended = once(studio.child, 'exit');
  const id = classes.at(-1)!.id;
  await Promise.all([
    client(
      (n) => {
        const bytes = Buffer.concat([image, Buffer.from(`${before.taught} ${n}`)]);
        return api(studio, 'POST', `/api/teach/classes/${id}/images?name=${n}.png`, bytes);
      },
      () => taught++,
    ),
    client(
      (n) => api(studio, 'PUT', `/api/images/${snapshot}/${n % 4}/label`, { label: `label ${before.reviewed + n}` }),
      () => reviewed++,
    ),
  ]);
  await ended;
  await disk.restart();
  const after = { taught: entriesIn(store, 'teach.jsonl'), reviewed: entriesIn(store, 'review.jsonl') };
  if (after.taught - before.taught < taught) problems.push(`${taught} taught, ${after.taught - before.taught} there`);
  if (after.reviewed - before.reviewed < reviewed)
    problems.push(`${reviewed} reviewed, ${after.reviewed - before.reviewed} there`);
  const { damaged } = await verify(store);
  problems.push(...damaged.map(({ name, problem }) => `${name}: ${problem}`));
  return { acknowledged: taught + reviewed, problems };
}
