import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StoredSample } from '../../src/store/shard.ts';
import { check } from '../../src/workflows/check.ts';
import { report } from '../../src/workflows/report.ts';
import { rejection } from '../support/errors.ts';
import { temporaryFolders } from '../support/folders.ts';
import { storedRow } from '../support/stored-rows.ts';
import { fillStore } from '../support/stores.ts';

const folder = temporaryFolders();
const COUNT = 160;
let store: string;
let rows: StoredSample[];

beforeAll(async () => {
  store = join(folder(), 'store');
  rows = Array.from({ length: COUNT }, (_, i) =>
    storedRow(`${String(i).padStart(3, '0')}.jpg`, {
      label: i % 2 === 0 ? 'ant' : 'bee',
      split: i % 4 < 2 ? 'train' : 'val',
    }),
  );
  // A copy in val of each of two images of train: that with the highest digest and that with the lowest.
  const train = rows.filter(({ split }) => split === 'train');
  const byDigest = [...train].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
  for (const [i, { id, sha256 }] of [byDigest[0]!, byDigest.at(-1)!].entries())
    rows.push({ ...rows[2]!, path: `copy-${i}.jpg`, id, sha256 });
  await fillStore(store, rows);
});

describe('a data set of more images than are compared', () => {
  it('is searched for equal files among all; the rest is about those with the lowest digests, and that is told', async () => {
    const notes: string[] = [];
    const all = await check(store);
    const some = await check(store, { images: 100 }, { listener: { note: (text) => notes.push(text) } });
    expect([all.images, all.compared]).toEqual([COUNT + 2, COUNT + 2]);
    expect(some.images).toBe(COUNT + 2);
    const digests = rows.map(({ sha256 }) => sha256).sort();
    const compared = rows.filter(({ sha256 }) => sha256 <= digests[99]!);
    expect(some.compared).toBe(compared.length);
    expect(some.exact).toHaveLength(2);
    expect(some.exact).toEqual(all.exact);
    expect(some.smallClasses).toEqual(all.smallClasses);
    const leaksOf = ({ leaks }: typeof some) => leaks.filter(({ kind }) => kind === 'exact');
    expect(leaksOf(some)).toEqual(leaksOf(all));
    expect(leaksOf(some).length).toBeGreaterThanOrEqual(2);
    const paths = new Set(compared.map(({ path }) => path));
    for (const { path } of some.suspects) expect(paths).toContain(path);
    expect(some.accuracy!.all.images).toBe(compared.filter(({ split }) => split === 'val').length);
    expect(notes.join()).toMatch(
      /Features are compared of \d+ of 162 images, those whose SHA-256 is lowest \(--images\)/,
    );
  });

  it('gets no page above --max-images, and the error says what to do', async () => {
    const { message } = await rejection(report(store, { maxImages: 100 }), 'OPTION_INVALID');
    expect(message).toMatch(/holds 162 images, and a page is made of 100 at most.*--max-images 162/);
  });
});
