import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowsePage, HeadFacts, ImageView, ReviewState, StoreFacts } from '../../../src/studio/api/studio-data.ts';
import type { SweepState } from '../../../src/studio/api/studio-sweep.ts';
import { SPLITS } from '../../../src/core/sample.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { openForWriting, setFor } from '../../../src/store/write/store.ts';
import { featureWriter } from '../../../src/store/write/writer.ts';
import { commitSamples } from '../../support/stores.ts';
import { ENGINE, featuresOf, settingsWith, storedRow } from '../../support/stored-rows.ts';
import { raw } from '../../support/http.ts';
import { api, startStudio, type StudioProcess } from '../../support/studio.ts';

const folder = temporaryFolders();
const IMAGES = 10_000;
/** As wide as VGG16's pooled features: narrower ones would all look alike. */
const WIDTHS = { flatten: 8, avg: 512, max: 8 } as const;
let studio: StudioProcess;
let path: string;

const rssMiB = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${studio.child.pid}/status`, 'utf8'))![1]) / 1024;

beforeAll(async () => {
  const store = join(folder(), 'store');
  // Numbers of five digits, so that the order of the paths is that of the numbers.
  const rows = Array.from({ length: IMAGES }, (_, i) =>
    storedRow(`class-${i % 5}/${String(i).padStart(5, '0')}.jpg`, {
      label: `class-${i % 5}`,
      split: SPLITS[i % 3 === 0 ? 1 : 0],
    }),
  ).sort((a, b) => (a.path < b.path ? -1 : 1));
  const { manifest } = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, { settings: settingsWith(), engine: ENGINE, widths: WIDTHS });
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    expectedRows: IMAGES,
    shardBytes: 2 ** 26,
  });
  for (let at = 0; at < IMAGES; at += 1000) await writer.append(featuresOf(rows.slice(at, at + 1000), WIDTHS));
  await writer.seal();
  await commitSamples({ store, manifest, set }, rows);
  path = store;
  studio = await startStudio(store);
});
afterAll(async () => {
  await studio?.stop();
});

describe('the studio of a store with 10,000 images', () => {
  it('tells what there is, and sends pages, not the whole', async () => {
    const { facts } = await api<{ facts: StoreFacts }>(studio, 'GET', '/api/store');
    expect(facts.images).toBe(IMAGES);
    expect(facts.classes).toHaveLength(5);
    const all = await api<BrowsePage>(studio, 'GET', '/api/images');
    expect(all).toMatchObject({ total: IMAGES, page: 1, pages: 209 });
    expect(all.rows).toHaveLength(48);
    const seen = new Set<number>();
    for (let page = 1; page <= 42; page++) {
      const some = await api<BrowsePage>(studio, 'GET', `/api/images?label=class-3&page=${page}`);
      for (const { row, label } of some.rows) {
        expect(label).toBe('class-3');
        seen.add(row);
      }
    }
    expect(seen.size).toBe(IMAGES / 5);
    const past = await api<BrowsePage>(studio, 'GET', '/api/images?page=100000');
    expect(past.page).toBe(209);
  });

  it('trains a head and judges all images with it', async () => {
    const head = await api<HeadFacts>(studio, 'POST', '/api/heads', { head: 'centroid', pooling: 'avg' });
    const right = await api<BrowsePage>(studio, 'GET', `/api/images?head=${head.id}&verdict=right&order=surest`);
    const wrong = await api<BrowsePage>(studio, 'GET', `/api/images?head=${head.id}&verdict=wrong`);
    expect(right.total + wrong.total).toBe(IMAGES);
    const sure = right.rows.map(({ verdict }) => verdict!.probability);
    expect([...sure].sort((a, b) => b - a)).toEqual(sure);
    // A training image's verdict is that of a head that did not see it: a validated one's is the head's own.
    const validated = `/api/images?head=${head.id}&verdict=right&order=surest&split=val`;
    const [seen] = (await api<BrowsePage>(studio, 'GET', validated)).rows as [BrowsePage['rows'][number]];
    const view = await api<ImageView>(studio, 'GET', `/api/images/${right.snapshot}/${seen.row}?head=${head.id}`);
    const { label, probability } = seen.verdict!;
    expect(view.answers[0]!.classes[0]!.label).toBe(label);
    // The same features in another block: float32 sums in another order.
    expect(view.answers[0]!.classes[0]!.probability).toBeCloseTo(probability, 5);
    expect(view.neighbors).toHaveLength(12);
  });

  it('refuses rows of another snapshot, and says that there is no picture where the files are gone', async () => {
    const { rows, snapshot } = await api<BrowsePage>(studio, 'GET', '/api/images');
    await expect(api(studio, 'GET', `/api/images/other/${rows[0]!.row}`)).rejects.toThrow(/409.*Load the page again/);
    const picture = await raw(studio.port, {
      path: `/api/images/${snapshot}/${rows[0]!.row}/thumbnail.webp`,
      headers: { authorization: `Bearer ${studio.token}` },
    });
    expect(picture.status).toBe(404);
  });

  it('finds suspects in reasonable memory', async () => {
    const review = await api<ReviewState>(studio, 'GET', '/api/review');
    expect(review.suspects.length).toBeLessThanOrEqual(200);
    expect(rssMiB()).toBeLessThan(1500);
  });
});

describe('the studio of the same store, allowed less memory than its features take', () => {
  /** What the page asks, and the answers that must not depend on where the features are. */
  async function answers(): Promise<unknown> {
    const { heads, facts } = await api<{ heads: HeadFacts[]; facts: StoreFacts }>(studio, 'GET', '/api/store');
    const head = heads[0]!.id;
    const pages: BrowsePage[] = [];
    for (const request of ['verdict=wrong&order=surest', 'predicted=class-2&least=0.21&page=2', 'order=unsurest'])
      pages.push(await api(studio, 'GET', `/api/images?head=${head}&${request}`));
    const views: ImageView[] = [];
    for (const row of [0, 4999, 9999])
      views.push(await api(studio, 'GET', `/api/images/${facts.snapshot}/${row}?head=${head}`));
    return { facts, pages, views };
  }

  it('answers the same, and refuses pictures and other work while a sweep takes the memory', async () => {
    const held = await answers();
    await studio.stop();
    studio = await startStudio(path, '--memory', '650MB');
    expect(rounded(await answers())).toEqual(rounded(held));
    const axes = { head: 'centroid,ridge', normalize: 'l2', pca: '0' };
    await api(studio, 'POST', '/api/sweep', { axes, folds: 5, save: false });
    await expect(api(studio, 'POST', '/api/heads', { head: 'ridge', pooling: 'avg' })).rejects.toThrow(
      /400.*A sweep is under way.*--memory/,
    );
    const pixels = { width: 64, height: 48, channels: 3, background: '#4a7' } as const;
    const picture = await sharp({ create: pixels }).png().toBuffer();
    await expect(api(studio, 'POST', '/api/search', picture)).rejects.toThrow(/400.*A sweep is under way/);
    let state: SweepState;
    do {
      await new Promise((resolve) => setTimeout(resolve, 200));
      state = await api<SweepState>(studio, 'GET', '/api/sweep');
    } while (state.state === 'running');
    expect(state).toMatchObject({
      state: 'done',
      problem: null,
      remarks: [expect.stringMatching(/^\d+ of 6666 training images are cross-validated/)],
    });
    await expect(api(studio, 'POST', '/api/heads', { head: 'ridge', pooling: 'avg' })).resolves.toMatchObject({
      problem: null,
    });
  });
});

/** Numbers to five digits: float32 sums of other blocks differ in the last places. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, one: unknown) => (typeof one === 'number' ? Number(one.toFixed(5)) : one));
