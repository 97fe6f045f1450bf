import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  BrowsePage,
  HeadFacts,
  ImageView,
  MapAnswer,
  ReviewState,
  Saved,
  SearchAnswer,
  StoreFacts,
  TaughtImage,
  TeachState,
} from '../../../src/studio/api/studio-data.ts';
import type { SweepChoices, SweepState } from '../../../src/studio/api/studio-sweep.ts';
import type * as ExtractModule from '../../../src/workflows/extract/extract.ts';
import type * as PredictModule from '../../../src/workflows/predict/predict.ts';
import { openHead } from '../../../src/workflows/train/files/head-files.ts';
import { built } from '../../support/built.ts';
import { describedNet } from '../../support/described-net.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';
import { raw } from '../../support/http.ts';
import { api, startStudio, type StudioProcess } from '../../support/studio.ts';

// A network is measured in a process of its own.
const { extract } = await built<typeof ExtractModule>('workflows/extract/extract.js');
const { predict } = await built<typeof PredictModule>('workflows/predict/predict.js');

const folder = temporaryFolders();
const NAMES = ['one/features', 'block1', 'two/features'];
let dataset: string;
let store: string;
let studio: StudioProcess;

beforeAll(async () => {
  dataset = await noiseDataset(join(folder(), 'Noise'), { ...twoClasses(6, 'Train/'), ...twoClasses(3, 'Val/', 50) });
  const one = describedNet(join(folder(), 'one'), 'one', 1);
  const two = describedNet(join(folder(), 'two'), 'two', 2);
  store = join(folder(), 'store');
  const cut = 'one/block1:avg,one/features:avg,two/features:avg';
  await extract(dataset, { store, backbone: `${one},${two}`, cut, engine: 'onnxruntime', precision: 'fp32' });
  studio = await startStudio(store);
});
afterAll(async () => {
  await studio?.stop();
});

const through = (path: string, features: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}features=${encodeURIComponent(features)}`;
const train = (features: string, on: 'chosen' | 'all' = 'chosen'): Promise<HeadFacts> =>
  api<HeadFacts>(studio, 'POST', through('/api/heads', features), { head: 'logistic', pooling: 'avg', on });

describe('the studio of a store with several networks', () => {
  it('tells which features it can be seen through, and refuses others', async () => {
    const { facts } = await api<{ facts: StoreFacts }>(studio, 'GET', '/api/store');
    expect(facts.features.map(({ name, network }) => [name, network])).toEqual([
      ['one/features', 'one'],
      ['block1', 'one'],
      ['two/features', 'two'],
    ]);
    expect(facts).toMatchObject({ chosen: 'one/features', cut: 'features' });
    const { facts: other } = await api<{ facts: StoreFacts }>(studio, 'GET', through('/api/store', 'block1'));
    expect(other).toMatchObject({ chosen: 'block1', cut: 'block1', images: facts.images });
    expect(other.snapshot).not.toBe(facts.snapshot);
    const headers = { authorization: `Bearer ${studio.token}` };
    const refused = await raw(studio.port, { path: '/api/store?features=blok1', headers });
    expect(refused.status).toBe(400);
    expect(refused.body.toString()).toMatch(/no features \\"blok1\\".*block1.*It has: one\/features, block1, two/);
  });

  it('asks heads of any network, whatever it is seen through, with the answers that predict gives', async () => {
    const heads = [...(await Promise.all(NAMES.map((name) => train(name)))), await train('two/features', 'all')];
    expect(heads.map(({ pooling, problem }) => [pooling, problem])).toEqual([
      ['avg', null],
      ['block1:avg', null],
      ['two/features:avg', null],
      ['one/features:avg,two/features:avg', null],
    ]);
    const { rows, snapshot } = await api<BrowsePage>(studio, 'GET', '/api/images?split=val');
    const [image] = rows;
    const file = join(dataset, image!.path);
    const ids = heads.map(({ id }) => `head=${encodeURIComponent(id)}`).join('&');
    const near: string[] = [];
    for (const name of NAMES) {
      const asked = await api<SearchAnswer>(studio, 'POST', through(`/api/search?${ids}`, name), readFileSync(file));
      expect(asked.neighbors[0]).toMatchObject({ path: image!.path });
      expect(asked.neighbors[0]!.distance).toBeLessThan(1e-5);
      near.push(asked.neighbors.map(({ distance }) => distance.toFixed(4)).join());
      for (const [i, answer] of asked.answers.entries()) {
        const { predictions } = await predict(join(store, 'heads', heads[i]!.id), [file], { neighbors: 0 });
        for (const { label, probability } of answer.classes)
          expect(probability).toBeCloseTo(predictions[0]!.probabilities[label]!, 5);
      }
      const stored = await api<ImageView>(
        studio,
        'GET',
        `/api/images/${name === 'one/features' ? snapshot : asked.snapshot}/${image!.row}?${ids}`,
      );
      expect(stored.answers.map(({ classes }) => classes[0]!.label)).toEqual(
        asked.answers.map(({ classes }) => classes[0]!.label),
      );
      const judged = await api<BrowsePage>(
        studio,
        'GET',
        through(`/api/images?head=${encodeURIComponent(heads[3]!.id)}`, name),
      );
      expect(judged.rows.map(({ verdict }) => verdict!.label)).toHaveLength(18);
    }
    expect(new Set(near).size).toBe(3);
  });

  it('draws a map of each, and teaches on the one that is chosen', async () => {
    for (const name of NAMES) {
      let map: MapAnswer = { state: 'drawing' };
      while (map.state === 'drawing') map = await api<MapAnswer>(studio, 'GET', through('/api/map', name));
      expect(map).toMatchObject({ state: 'ready', points: { length: 18 } });
    }
    const { rows } = await api<BrowsePage>(studio, 'GET', '/api/images');
    for (const label of ['a', 'b']) {
      const { classes } = await api<TeachState>(studio, 'POST', '/api/teach/classes', { name: label });
      const { id } = classes.at(-1)!;
      const image = readFileSync(join(dataset, rows[label === 'a' ? 0 : 10]!.path));
      await api<TaughtImage>(studio, 'POST', through(`/api/teach/classes/${id}/images?name=x.png`, NAMES[2]!), image);
    }
    const saved: string[] = [];
    for (const name of NAMES) {
      const body = { as: 'head', name: name.replace('/', '-') };
      saved.push((await api<Saved>(studio, 'POST', through('/api/teach/save', name), body)).path);
    }
    const files = [join(dataset, rows[0]!.path), join(dataset, rows[10]!.path)];
    for (const head of saved) {
      const { predictions } = await predict(head, files, { neighbors: 0 });
      expect(predictions.map(({ label }) => label)).toEqual(['a', 'b']);
      // What another engine is checked by where the store is gone: the taught images, and what this head says of them.
      const { probes } = await openHead(head);
      expect(probes!.squares.map((of) => of.length)).toEqual([2]);
      const expected = predictions.flatMap(({ probabilities: { a, b } }) => [a!, b!]);
      probes!.answers.data.forEach((p, i) => expect(p).toBeCloseTo(expected[i]!, 5));
    }
    const { heads } = await api<{ heads: HeadFacts[] }>(studio, 'GET', '/api/store');
    expect(
      heads
        .filter(({ id }) => id.startsWith('taught'))
        .map(({ pooling }) => pooling)
        .sort(),
    ).toEqual(['avg', 'block1:avg', 'two/features:avg']);
  });

  it('reviews and sweeps through each, and through all side by side', async () => {
    for (const name of NAMES) {
      const { snapshot } = await api<ReviewState>(studio, 'GET', through('/api/review', name));
      const { snapshot: now } = await api<BrowsePage>(studio, 'GET', through('/api/images', name));
      expect(snapshot).toBe(now);
    }
    const choices = await api<SweepChoices>(studio, 'GET', through('/api/sweep/choices', 'block1'));
    expect(choices.cut).toEqual([...NAMES, 'all side by side'].map((value) => ({ value, chosen: value === 'block1' })));
    const axes = { head: 'centroid', cut: choices.cut.map(({ value }) => value).join(','), normalize: 'l2' };
    let state = await api<SweepState>(studio, 'POST', '/api/sweep', { axes, folds: 2, save: false });
    while (state.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 200));
      state = await api<SweepState>(studio, 'GET', '/api/sweep');
    }
    expect(state).toMatchObject({ state: 'done', problem: null });
    expect(state.lines.map(({ features }) => features.replace(', avg, l2', '')).sort()).toEqual(
      [...NAMES, 'one/features,two/features'].sort(),
    );
  });
});
