import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { without } from '../../src/core/options.ts';
import type { NeighborsResult, PredictResult } from '../../src/results/answer-results.ts';
import type { HeadResult, RunResult } from '../../src/results/head-result.ts';
import { document, permafrost, type Finished } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-main-'));
const dataset = join(folder, 'Stripes');
const store = join(folder, 'Stripes.permafrost');
const json = ['--json', '--quiet'];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let first: Finished;
beforeAll(async () => {
  await stripedDataset(dataset, 5, 3);
  first = await permafrost(['run', dataset, ...json], { cwd: folder });
});

const HEAD_FIELDS = [
  'name',
  'pooling',
  'params',
  'accuracy',
  'interval',
  'balancedAccuracy',
  'logLoss',
  'fitMs',
  'converged',
];

describe('run', () => {
  it('extracts, trains heads and tells it in one JSON document, with nothing on stderr when quiet', () => {
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' });
    const result = document<RunResult>(first);
    expect(result).toMatchObject({
      extracted: 16,
      reused: 0,
      failed: [],
      contract: 'vgg16',
      engine: { device: 'cpu' },
      classes: ['across', 'down'],
      splits: { train: 10, val: 6 },
    });
    expect(result.seconds.extract).toBeGreaterThan(0);
    expect(result.seconds.train).toBeGreaterThan(0);
    expect(result.heads.length).toBeGreaterThanOrEqual(7);
    for (const head of result.heads) expect(Object.keys(head)).toEqual(expect.arrayContaining(HEAD_FIELDS));
    // Stripes across and stripes down are as different as pictures can be: a head that fails here is broken.
    expect(result.heads[0]!.accuracy).toBe(1);
    expect(result.heads[0]!.comparison).toEqual({ pValue: 1, adjusted: 1, test: 'mcnemar', toldApart: false });
    for (const { comparison } of result.heads) expect(comparison!.toldApart).toBe(comparison!.adjusted! < 0.05);
  });

  it('keeps the results and the best head in the store, by default beside the caller', () => {
    const result = document<RunResult>(first);
    expect(result.store).toBe(store);
    expect(JSON.parse(readFileSync(join(store, 'results.json'), 'utf8'))).toEqual(
      without(result as RunResult & { schema: string }, 'schema'),
    );
    expect(existsSync(result.heads[0]!.file!)).toBe(true);
  });

  it("keeps the softmax head's learning curve as data, an epoch a number", () => {
    const heads = document<RunResult>(first).heads.filter(({ name }) => name === 'softmax');
    expect(heads).toHaveLength(1);
    for (const { learningCurve, iterations } of heads) {
      expect(Object.keys(learningCurve!)).toEqual(['loss', 'accuracy']);
      expect(learningCurve!.loss).toHaveLength(iterations);
      expect(learningCurve!.accuracy).toHaveLength(iterations);
      expect(learningCurve!.accuracy.at(-1)).toBe(1);
    }
  });

  it('extracts nothing the second time and says so', async () => {
    const { code, stdout, stderr } = await permafrost(['run', dataset], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/0 extracted, 16 reused(?: \(\d+ by size and time, unread\))?, 0 failed/);
    expect(stdout).toMatch(/^logistic +avg, sqrt +\d\.\d{4}/m);
    expect(stdout).toMatch(
      /^softmax \(flatten\): \d+ epochs: loss \d\.\d{4} to \d\.\d{4}, accuracy \d\.\d{3} to 1\.000$/m,
    );
    expect(stdout).toMatch(/true \\ predicted/);
    expect(stderr).toMatch(
      /^Engine: [\w-]+ [\d.]+ on cpu, \w+ \(it made the stored features; --engine and --precision switch\)\.$/m,
    );
    expect(stderr).not.toContain('['); // no progress bar where stderr is no terminal
  });
});

describe('extract', () => {
  it('follows a renamed file and its new label without extracting it', async () => {
    const moved = join(folder, 'Moved');
    await stripedDataset(moved, 5, 3);
    renameSync(join(moved, 'Train', 'across', '0.png'), join(moved, 'Train', 'down', 'was across.png'));
    copyFileSync(join(moved, 'Train', 'down', '1.png'), join(moved, 'Train', 'down', 'copy.png'));
    const result = document<RunResult>(await permafrost(['extract', moved, '--store', store, ...json]));
    expect(result).toMatchObject({ extracted: 0, reused: 17, splits: { train: 11, val: 6 } });
    const restored = document<RunResult>(await permafrost(['extract', dataset, '--store', store, ...json]));
    expect(restored).toMatchObject({ extracted: 0, reused: 16 });
  });

  it('extracts again under another contract and names the field that differs', async () => {
    const other = await permafrost(['extract', dataset, '--store', store, '--contract', 'keras', ...json]);
    const result = document<RunResult>(other);
    expect(result).toMatchObject({ extracted: 16, reused: 0, contract: 'keras' });
    expect(result.extractedBecause).toContain('contract.geometry: "squash", not "cover-crop"');
    const back = document<RunResult>(await permafrost(['extract', dataset, '--store', store, ...json]));
    expect(back).toMatchObject({ extracted: 0, reused: 16, contract: 'vgg16' });
  });

  it('warns of the contract of the 2020 report with the loss that was measured', async () => {
    const { stderr } = await permafrost(['extract', join(folder, 'nowhere'), '--contract', 'report-2020']);
    expect(stderr).toContain('DATASET_NOT_FOUND');
    const warned = await permafrost([
      'extract',
      dataset,
      '--store',
      join(folder, 'report'),
      '--contract',
      'report-2020',
      '--cut',
      'block1_pool',
      '--dtype',
      'float32',
    ]);
    expect(warned.code).toBe(0);
    expect(warned.stderr).toMatch(/Warning: contract report-2020 .*0\.824 against 0\.928/);
  });
});

describe('train, predict, neighbors, inspect', () => {
  it('train writes a head that predict answers with, beside the nearest training images', async () => {
    const out = join(folder, 'head.safetensors');
    const trained = await permafrost(['train', store, '--head', 'logistic', '--C', '10', '--out', out, ...json]);
    const head = document<HeadResult>(trained);
    expect(Object.keys(head)).toEqual(expect.arrayContaining(HEAD_FIELDS));
    expect(head).toMatchObject({
      name: 'logistic',
      pooling: 'avg',
      params: { C: 10 },
      converged: true,
      file: out,
    });

    const picture = join(dataset, 'Val', 'down', '0.png');
    const answer = document<PredictResult>(await permafrost(['predict', out, picture, ...json]));
    const [prediction] = answer.predictions;
    expect(prediction).toMatchObject({ path: picture, label: 'down' });
    expect(prediction!.neighbors).toHaveLength(3);
    expect(prediction!.neighbors[0]).toMatchObject({ label: 'down', split: 'train' });
    const sum = Object.values(prediction!.probabilities).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 5);
  });

  it('train refuses a flag of another head and exits with 2', async () => {
    const { code, stderr } = await permafrost(['train', store, '--head', 'knn', '--C', '10']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/has no option "C"/);
  });

  it('predict goes on with the good images when one is bad, and exits with 3', async () => {
    const { heads } = document<RunResult>(first);
    const bad = join(folder, 'nothing.jpg');
    const good = join(dataset, 'Val', 'across', '0.png');
    const finished = await permafrost(['predict', heads[0]!.file!, bad, good, '--neighbors', '0', ...json]);
    expect(finished.code).toBe(3);
    const { predictions, failed } = document<PredictResult>(finished);
    expect(predictions.map(({ path, label }) => [path, label])).toEqual([[good, 'across']]);
    expect(failed).toMatchObject([{ path: bad, code: 'IMAGE_UNREADABLE' }]);
  });

  it('predict refuses features of another contract than the head was trained on, naming the field', async () => {
    // The store now holds another contract's features as its current ones: its images must not be shown as neighbours.
    await permafrost(['extract', dataset, '--store', store, '--contract', 'keras', ...json]);
    const { heads } = document<RunResult>(first);
    const answer = await permafrost(['predict', heads[0]!.file!, join(dataset, 'Val', 'across', '0.png')]);
    expect(answer.code).toBe(0);
    expect(answer.stderr).toMatch(/other settings than the head's/);
    await permafrost(['extract', dataset, '--store', store, ...json]);
  });

  it('neighbors finds a stored image as its own nearest', async () => {
    const picture = join(dataset, 'Train', 'across', '2.png');
    const found = document<NeighborsResult>(await permafrost(['neighbors', store, picture, '-k', '2', ...json]));
    expect(found.queries[0]!.neighbors).toHaveLength(2);
    expect(found.queries[0]!.neighbors[0]).toMatchObject({ path: 'Train/across/2.png', label: 'across' });
    // float32 rounding of 1 - cosine over 512 numbers
    expect(found.queries[0]!.neighbors[0]!.distance).toBeLessThan(1e-5);
  });

  it('inspect counts what is in the store', async () => {
    const { stdout, code } = await permafrost(['inspect', store]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/across +5 +3/);
    expect(stdout).toMatch(/contract +vgg16-[0-9a-f]{8}/);
    expect(document(await permafrost(['inspect', store, '--json']))).toMatchObject({
      images: 16,
      version: 5,
    });
  });
});
