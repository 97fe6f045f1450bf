import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { row } from '../../../src/core/matrix.ts';
import { DEFAULT_POOLINGS } from '../../../src/core/sample.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { openStore } from '../../../src/store/open.ts';
import { openRows } from '../../../src/store/read/access.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { sha256Of, settingsWith, storedRow } from '../../support/stored-rows.ts';
import { contentOf, fillStore, openMade } from '../../support/stores.ts';

const folder = temporaryFolders();
const LABELS = ['ant', 'bee', 'wasp'];
/** Twenty rows in seven shards; one picture lies in two classes. */
const ROWS = Array.from({ length: 20 }, (_, i) =>
  storedRow(`${String(i).padStart(2, '0')}.jpg`, {
    label: LABELS[i % 3]!,
    split: i % 4 === 0 ? 'val' : 'train',
    ...(i === 19 && { content: '03.jpg' }),
  }),
);

async function newStore(dtype: 'float16' | 'float32' = 'float16'): Promise<string> {
  const store = join(folder(), 'store');
  await fillStore(store, ROWS, { perShard: dtype === 'float16' ? 3 : 6, settings: settingsWith({ dtype }) });
  return store;
}
let store: string;
beforeAll(async () => {
  store = await newStore();
});

describe('rows that are read one by one', () => {
  it.each(['float16', 'float32'] as const)(
    'are those that all are read with, of every pooling, maps in %s',
    async (dtype) => {
      const some = dtype === 'float16' ? store : await newStore(dtype);
      const { features } = await contentOf(some);
      const rows = openRows(await openStore(some));
      for (const pooling of DEFAULT_POOLINGS) {
        const ids = [ROWS[17]!, ROWS[2]!, ROWS[3]!, ROWS[2]!].map(({ id }) => id);
        const found = await rows.rowsById([...ids, sha256Of('not there').slice(0, 16)], pooling);
        expect([...found.keys()].sort()).toEqual([...new Set(ids)].sort());
        for (const { id, path } of [ROWS[17]!, ROWS[2]!, ROWS[3]!])
          expect([pooling, path, [...found.get(id)!]]).toEqual([pooling, path, features[pooling][path]]);
      }
    },
  );

  it('of a class are those of its samples in order, the same picture in two classes too', async () => {
    const opened = await openStore(store);
    const all = await opened.rows({ parts: 'avg', memory: 'matrix' });
    for (const label of LABELS) {
      const own = ROWS.filter((row) => row.label === label && row.split === 'train');
      const { matrix: X } = await opened.withSamples(own).rows({ parts: 'avg', memory: 'matrix' });
      expect(X.rows).toBe(own.length);
      for (const [i, { path }] of own.entries()) {
        const at = ROWS.findIndex((row) => row.path === path);
        expect(row(X, i)).toEqual(row(all.matrix, at));
      }
    }
    expect((await opened.withSamples([]).rows({ parts: 'avg', memory: 'matrix' })).rows).toBe(0);
  });

  it('are verified: a flipped byte is refused, before the first row is read and when it comes later', async () => {
    const damaged = await newStore();
    const manifest = await readManifest(damaged);
    const [first, second] = manifest.sets[0]!.shards.map(({ files }) => join(damaged, files.avg!.name));
    const flip = (path: string): void => {
      const bytes = readFileSync(path);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(path, bytes);
    };
    const rows = openRows(openMade({ store: damaged, manifest }));
    flip(first!);
    await rejection(rows.rowsById([ROWS[0]!.id], 'avg'), 'STORE_CORRUPT');
    flip(first!); // mended: what failed is tried again
    expect((await rows.rowsById([ROWS[0]!.id], 'avg')).size).toBe(1);
    expect((await rows.rowsById([ROWS[4]!.id], 'avg')).size).toBe(1);
    flip(second!);
    await rejection(rows.rowsById([ROWS[4]!.id], 'avg'), 'STORE_CORRUPT');
  });

  it('are not looked for in the shards that hold none of them', async () => {
    const damaged = await newStore();
    const manifest = await readManifest(damaged);
    for (const { files } of manifest.sets[0]!.shards.slice(1))
      writeFileSync(join(damaged, files.flatten!.name), 'gone');
    const rows = openRows(openMade({ store: damaged, manifest }));
    expect((await rows.rowsById([ROWS[1]!.id], 'flatten')).size).toBe(1);
    await rejection(rows.rowsById([ROWS[5]!.id], 'flatten'), 'STORE_CORRUPT');
  });

  it('are refused for what is no id', async () => {
    await rejection(openRows(await openStore(store)).rowsById(['ant'], 'avg'), 'STORE_CORRUPT');
  });
});
