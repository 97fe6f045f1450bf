import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../src/results/answer-results.ts';
import { document, permafrost } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-predict-'));
const store = join(folder, 'Stripes.permafrost');
const camera = join(folder, 'camera');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const root = await stripedDataset(join(folder, 'Stripes'), 6, 2);
  mkdirSync(camera);
  cpSync(join(root, 'Val/across/0.png'), join(camera, 'a.png'));
  cpSync(join(root, 'Val/down'), join(camera, 'later'), { recursive: true });
  expect((await permafrost(['extract', root, '--store', store, '--quiet'])).code).toBe(0);
});

describe('predict', () => {
  it('says how to get a head where the store has none', async () => {
    const { code, stderr } = await permafrost(['predict', store, camera]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/holds no head.*permafrost train.*\[OPTION_INVALID\]/);
  });

  it('takes a store for its only head and a folder for its images, says both, and knows -k', async () => {
    expect((await permafrost(['train', store, '--C', '10', '--quiet'])).code).toBe(0);
    const finished = await permafrost(['predict', store, camera, '-k', '1', '--json']);
    expect(finished.code).toBe(0);
    expect(finished.stderr).toMatch(/Took the store's only head: .*logistic.*\.safetensors/);
    expect(finished.stderr).toContain(`${camera}: 3 images.`);
    const { predictions } = document<PredictResult>(finished);
    expect(predictions.map(({ path }) => path)).toEqual([
      join(camera, 'a.png'),
      join(camera, 'later/0.png'),
      join(camera, 'later/1.png'),
    ]);
    expect(predictions[0]!.neighbors).toHaveLength(1);
  });

  it('takes the best head of the last run', async () => {
    const run = await permafrost([
      'run',
      join(folder, 'Stripes'),
      '--store',
      store,
      '--no-report',
      '--json',
      '--quiet',
    ]);
    const { heads } = document<{ heads: { name: string }[] }>(run);
    const finished = await permafrost(['predict', store, camera, '-k', '0', '--json']);
    expect(finished.stderr).toMatch(/Took the best head of the last run: .*\.safetensors/);
    expect(document<PredictResult>(finished).head).toBe(heads[0]!.name);
  });

  it('says that a folder that is no store is none', async () => {
    const { code, stderr } = await permafrost(['predict', camera, camera]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[STORE_NOT_FOUND\]/);
  });

  it('says which heads there are where no run tells the best', async () => {
    rmSync(join(store, 'results.json'));
    const { code, stderr } = await permafrost(['predict', store, camera]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/holds \d+ heads and no run says which is the best\. Name one/);
  });
});
