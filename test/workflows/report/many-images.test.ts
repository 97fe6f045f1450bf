import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { present, type Judgement } from '../../../src/results/report-data.ts';
import { htmlReport } from '../../../src/report/html/page.ts';
import type { StoredSample } from '../../../src/store/format/shard.ts';
import { check } from '../../../src/workflows/check/check.ts';
import { reportData } from '../../../src/workflows/report/data.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { runResult } from '../../support/results.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

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

  it('gets a page of those with the lowest digests and the copies that it shows, with figures of all', async () => {
    const out = join(store, 'heads', 'best.safetensors');
    const best = await train(store, { out, pooling: 'avg', reject: 0.05 });
    writeFileSync(join(store, 'results.json'), JSON.stringify(runResult({ heads: [best] })));
    const notes: string[] = [];
    const [all, some] = [
      await reportData(store, { mapImages: 0 }),
      await reportData(store, { maxImages: 100, mapImages: 50 }, { listener: { note: (text) => notes.push(text) } }),
    ];
    expect(all.images).toHaveLength(COUNT + 2);
    const digests = rows.map(({ sha256 }) => sha256).sort();
    const lowest = rows.filter(({ sha256 }) => sha256 <= digests[99]!).map(({ path }) => path);
    const shown = some.images.map(({ path }) => path);
    expect(shown).toEqual(expect.arrayContaining(lowest));
    expect(shown).toEqual(expect.arrayContaining(some.check.exact.flat()));
    expect(shown).toEqual([...shown].sort());
    expect(shown.length).toBeGreaterThan(100);
    expect(shown.length).toBeLessThan(COUNT);
    expect(some.store).toEqual({ ...all.store, bytes: some.store.bytes });
    expect(some.sizes).toEqual(all.sizes);
    if (!present(all.judgement) || !present(some.judgement)) throw new Error('the head was not asked');
    for (const figure of ['validated', 'accuracy', 'interval', 'classes', 'confusion', 'calibration'] as const)
      expect(some.judgement[figure]).toEqual(all.judgement[figure]);
    // The surest mistakes of all, and what the head says of each image, wherever it stands in the page.
    const said = ({ images }: typeof all, { judged }: Judgement, at: number) => {
      const { image, predicted, probability } = judged[at]!;
      return [images[image]!.path, predicted, probability];
    };
    const [whole, part] = [all.judgement, some.judgement];
    expect(part.mistakes.map((at) => said(some, part, at))).toEqual(whole.mistakes.map((at) => said(all, whole, at)));
    expect(part.mistakes.length).toBeGreaterThan(5);
    const judgedOf = (data: typeof all, judgement: Judgement) =>
      new Map(judgement.judged.map((_, at) => [said(data, judgement, at)[0], said(data, judgement, at)]));
    const known = judgedOf(all, whole);
    for (const [path, words] of judgedOf(some, part)) expect(known.get(path)).toEqual(words);
    // The head is not asked about the two copies of images that it was trained on.
    const asked = some.images.filter(({ path, split }) => split === 'val' && !path.startsWith('copy-'));
    expect(part.judged.map(({ image }) => some.images[image]!.path)).toEqual(asked.map(({ path }) => path));
    expect(part.caution).toMatch(/^The head was trained on 2 of the 82 val images .*left out of all that follows/);
    if (!present(some.map)) throw new Error('no map was drawn');
    expect(some.map.images.length + some.map.leftOut).toBe(COUNT + 2);
    expect(notes.join()).toMatch(/a sample of about 100 of 162 images.*--max-images/);
    const page = htmlReport(some, { script: '', command: null });
    expect(page).toContain(`This page shows ${shown.length} of 162 images`);
    expect(htmlReport(all, { script: '', command: null })).not.toContain('This page shows');
  });

  it('gets a page under the labels of a list, which is said', async () => {
    const list = join(folder(), 'labels.csv');
    writeFileSync(list, 'path,label\n000.jpg,bee\n002.jpg,ant\n');
    const [own, listed] = [
      await reportData(store, { mapImages: 0 }),
      await reportData(store, { mapImages: 0, labels: list }),
    ];
    const labelOf = ({ images }: typeof own): string => images.find(({ path }) => path === '000.jpg')!.label;
    expect([labelOf(own), labelOf(listed)]).toEqual(['ant', 'bee']);
    expect([own.relabelled, listed.relabelled]).toEqual([null, 1]);
    const trained = ({ store: { classes } }: typeof own) => classes.map(({ splits }) => splits.train);
    expect(trained(listed)).toEqual([trained(own)[0]! - 1, trained(own)[1]! + 1]);
    expect(htmlReport(listed, { script: '', command: null })).toMatch(/Labels are those of a list: 1\s+image/);
  });
});
