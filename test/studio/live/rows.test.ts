import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matrix, row, selectRows, type Matrix } from '../../../src/core/matrix.ts';
import { SPLITS } from '../../../src/core/sample.ts';
import { liveRows, type LiveRows } from '../../../src/studio/live/rows.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore, openMade } from '../../support/stores.ts';

const folder = temporaryFolders();

/** In several shards, in another order than their paths', with copies of one picture in two splits. */
const ROWS = Array.from({ length: 60 }, (_, i) =>
  storedRow(`${String((i * 37) % 60).padStart(2, '0')}.jpg`, {
    split: SPLITS[i % 3]!,
    ...(i % 10 === 0 && { content: 'one picture' }),
  }),
);

async function both(): Promise<{ held: LiveRows; streamed: LiveRows; X: Matrix }> {
  const samples = [...ROWS].sort((a, b) => (a.path < b.path ? -1 : 1));
  const store = openMade(await fillStore(join(folder(), 'store'), samples, { perShard: 7 }));
  const held = await store.rows({ parts: 'avg', memory: 'matrix' });
  const streamed = await store.rows({ parts: 'avg', memory: 'blocks' });
  return { held: liveRows(held), streamed: liveRows(streamed), X: held.matrix };
}

describe('features of the images of a snapshot, held in memory or read in a stream', () => {
  it('are the same rows, in the order that is asked for, several times too', async () => {
    const { held, streamed, X } = await both();
    const wanted = [41, 3, 59, 3, 0, 17];
    expect(await held.rows(wanted)).toEqual(selectRows(X, wanted));
    expect(await streamed.rows(wanted)).toEqual(selectRows(X, wanted));
    expect((await streamed.rows([])).rows).toBe(0);
  });

  it('are each met once', async () => {
    const { held, streamed, X } = await both();
    for (const rows of [held, streamed]) {
      const met = matrix(X.rows, X.cols);
      const times = new Array<number>(X.rows).fill(0);
      await rows.each((part, rowOf) => {
        for (let j = 0; j < part.rows; j++) {
          met.data.set(row(part, j), rowOf(j) * X.cols);
          times[rowOf(j)]!++;
        }
        return Promise.resolve();
      });
      expect(met).toEqual(X);
      expect(times).toEqual(times.map(() => 1));
    }
  });

  it('are found alike, copies in the order of their rows, by many who ask at once', async () => {
    const { held, streamed, X } = await both();
    const found = await Promise.all(
      [streamed, held].map((rows) => Promise.all([0, 5, 12, 40].map((i) => rows.search(selectRows(X, [i]), 12)))),
    );
    expect(found[0]).toEqual(found[1]);
    const singles = await Promise.all([7, 30, 59, 2].map((i) => streamed.rows([i])));
    expect(singles).toEqual([7, 30, 59, 2].map((i) => selectRows(X, [i])));
  });
});
