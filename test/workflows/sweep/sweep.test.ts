import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RankedCandidate, SweepCandidate, SweepResult, SweepScore } from '../../../src/results/sweep-result.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import type { sweep as sourceSweep } from '../../../src/workflows/sweep/sweep.ts';
import { planSweep } from '../../../src/workflows/sweep/plan.ts';
import type { train as sourceTrain } from '../../../src/workflows/train/train.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

// Threads are started from a file, which Node 20 must be able to run: the built one. So this is the built workflow too.
type Workflow = { readonly sweep: typeof sourceSweep };
const built = (file: string): Promise<unknown> =>
  import(new URL(`../../../dist/workflows/${file}`, import.meta.url).href);
const { sweep } = (await built('sweep/sweep.js')) as Workflow;
// ONNX Runtime is bundled with the built program, and one process takes one of it.
const { train } = (await built('train/train.js')) as { readonly train: typeof sourceTrain };

const folder = temporaryFolders();
const CLASSES = ['ant', 'bee', 'cat'];
const rows = (changed: Readonly<Record<string, string>> = {}) =>
  Array.from({ length: 60 }, (_, i) => {
    const path = `${String(i).padStart(2, '0')}.jpg`;
    // Rows 0 and 3, 6 and 9: one picture under two names.
    const content = i === 3 || i === 9 ? `${String(i - 3).padStart(2, '0')}.jpg` : path;
    return storedRow(path, {
      content,
      label: changed[path] ?? CLASSES[i % 3]!,
      split: i < 45 ? 'train' : 'val',
    });
  });
const madeStore = async (): Promise<string> => (await fillStore(join(folder(), 'store'), rows())).store;

const GRID = {
  pooling: ['avg', 'max'] as ('avg' | 'max')[],
  pca: [0, 3],
  heads: [{ head: 'logistic', C: [0.1, 1, 10] }, { head: 'knn', nNeighbors: [1, 5] }, { head: 'centroid' }],
};
/** 2 poolings, 2 normalisations, 2 widths, 6 heads. */
const COUNT = 48;

/** Results by id, without what may differ from run to run. */
const lasting = (ledger: string): Record<string, string> =>
  Object.fromEntries(
    readFileSync(ledger, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { fitMs, digest, ...entry } = JSON.parse(line) as Record<string, unknown>;
        expect([typeof fitMs, typeof digest]).toEqual(['number', 'string']);
        return [String(entry.id), JSON.stringify(entry)];
      }),
  );
const answer = ({ candidates, notToldApart, best }: SweepResult) => ({
  notToldApart,
  best: { ...best, fitMs: 0, predictMs: 0, looks: undefined },
  candidates: candidates.map((one) => ({ ...one, fitMs: 0, reused: false })),
});

let store: string;
let first: SweepResult;
beforeAll(async () => {
  store = await madeStore();
  first = await sweep(store, { grid: GRID, workers: 1 });
});

describe('a sweep', () => {
  it('ranks every configuration once, the best first, and keeps each as a line', () => {
    expect(first).toMatchObject({ computed: COUNT, reused: 0, skipped: [], images: 45, classes: CLASSES });
    expect(first.candidates).toHaveLength(COUNT);
    expect(first.candidates.map(({ rank }) => rank)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    const order = first.candidates.map(({ scores: { accuracy, logLoss } }) => [accuracy.value, -logLoss.value]);
    expect([...order].sort(([a, b], [c, d]) => c! - a! || d! - b!)).toEqual(order);
    expect(Object.keys(lasting(first.ledger)).sort()).toEqual(first.candidates.map(({ id }) => id).sort());
    expect(first.candidates[0]).toMatchObject({ pValue: 1, toldApart: false });
  });

  it('gives the same bytes with two workers', async () => {
    const other = await sweep(await madeStore(), { grid: GRID, workers: 2 });
    expect(lasting(other.ledger)).toEqual(lasting(first.ledger));
    expect(answer(other)).toEqual(answer(first));
  });

  it('goes on after an abort where it stopped, to the same end', async () => {
    const other = await madeStore();
    const stopped = new AbortController();
    const seen: SweepCandidate[] = [];
    const work = {
      signal: stopped.signal,
      onCandidate: (candidate: SweepCandidate) => {
        if (seen.push(candidate) === 7) stopped.abort();
      },
    };
    await expect(sweep(other, { grid: GRID, workers: 2 }, work)).rejects.toMatchObject({
      code: 'INTERRUPTED',
      message: expect.stringMatching(/^Interrupted: \d+ of 48 configurations are kept in .*\.jsonl/) as string,
    });
    const result = await sweep(other, { grid: GRID, workers: 2 });
    expect(result.reused).toBeGreaterThanOrEqual(7);
    expect(result.reused + result.computed).toBe(COUNT);
    expect(answer(result)).toEqual(answer(first));
  });

  it('computes nothing that it knows, tells it first, and knows it in a larger grid too', async () => {
    const known: boolean[] = [];
    const again = await sweep(store, { grid: GRID }, { onCandidate: ({ reused }) => known.push(reused) });
    expect(again).toMatchObject({ computed: 0, reused: COUNT });
    expect(known).toEqual(Array.from({ length: COUNT }, () => true));
    const heads = [{ head: 'logistic', C: [1, 3] }];
    const larger = await sweep(store, { grid: { heads, pca: 0, normalize: 'l2' } });
    expect(larger).toMatchObject({ computed: 1, reused: 1 });
    // Another seed deals other folds, another score ranks the same results.
    expect(await sweep(store, { grid: { heads, pca: 0, normalize: 'l2' }, seed: 2 })).toMatchObject({
      reused: 0,
    });
    const byLoss = await sweep(store, { grid: GRID, score: 'logLoss' });
    expect(byLoss).toMatchObject({ computed: 0, score: 'logLoss' });
    const losses = byLoss.candidates.map(({ scores }) => scores.logLoss.value);
    expect([...losses].sort((a, b) => a - b)).toEqual(losses);
  });

  it('tells candidates from the best by the score that ranks them', async () => {
    const byScore = async (score: SweepScore) => (await sweep(store, { grid: GRID, score })).candidates;
    const [right, balanced, lost] = [
      await byScore('accuracy'),
      await byScore('balancedAccuracy'),
      await byScore('logLoss'),
    ];
    expect(new Set(right.map(({ test }) => test))).toEqual(new Set(['mcnemar']));
    expect(new Set(balanced.map(({ test }) => test))).toEqual(new Set(['class-weighted-mcnemar']));
    expect(new Set(lost.map(({ test }) => test))).toEqual(new Set(['paired-t']));
    // Nearly no penalty: far too sure. Probabilities of logistic heads are not scaled, so that the loss shows it.
    const told = (candidates: readonly RankedCandidate[]) => candidates.filter(({ toldApart }) => toldApart);
    expect(told(right)).toEqual([]);
    const sure = { heads: [{ head: 'logistic', C: [1e-5, 1e6] }], pca: 0, normalize: 'standard' as const };
    const lossy = await sweep(store, { grid: sure, score: 'logLoss' });
    expect(told(lossy.candidates).map(({ params }) => params.C)).toEqual([1e6]);
    for (const { pValue, adjusted } of [...right, ...balanced, ...lost])
      expect(adjusted).toBeGreaterThanOrEqual(pValue);
  });

  it('counts its looks at the validation images, those of training too', async () => {
    const own = await madeStore();
    const grid = { heads: [{ head: 'centroid' }], pca: 0, normalize: 'l2' as const };
    expect((await sweep(own, { grid })).best.looks).toEqual({ heads: 1, isComplete: true });
    expect((await train(own, { head: 'centroid', pooling: 'avg' })).looks).toEqual({ heads: 2, isComplete: true });
    expect((await sweep(own, { grid, save: true })).best.looks).toEqual({ heads: 3, isComplete: true });
    expect((await verify(own)).damaged).toEqual([]);
  });

  it('leaves out damaged lines, says which, and computes their results again', async () => {
    const other = await madeStore();
    const { ledger } = await sweep(other, { grid: GRID });
    const lines = readFileSync(ledger, 'utf8').split('\n');
    lines[2] = lines[2]!.replace(/"iterations":\d+/, '"iterations":77');
    // The last line as a killed process would leave it.
    writeFileSync(ledger, lines.join('\n').trimEnd().slice(0, -20));
    const notes: string[] = [];
    const again = await sweep(other, { grid: GRID }, { listener: { note: (text) => notes.push(text) } });
    expect(again).toMatchObject({ computed: 2, reused: COUNT - 2 });
    expect(notes.filter((note) => /line (3|48): .*the line is left out/.test(note))).toHaveLength(2);
    expect(answer(again)).toEqual(answer(first));
    expect(await sweep(other, { grid: GRID })).toMatchObject({ computed: 0 });
    appendFileSync(ledger, 'x');
    expect(await sweep(other, { grid: GRID })).toMatchObject({ computed: 0 });
  });

  it('starts anew for other training images, and not for other validation images', async () => {
    const relabelled = (await fillStore(join(folder(), 'store'), rows({ '00.jpg': 'bee', '50.jpg': 'ant' }))).store;
    const val = (await fillStore(join(folder(), 'store'), rows({ '50.jpg': 'ant' }))).store;
    const grid = { ...GRID, heads: [{ head: 'centroid' }] };
    const [a, b] = [await sweep(relabelled, { grid }), await sweep(val, { grid })];
    expect(a.ledger.slice(-20)).not.toBe(first.ledger.slice(-20));
    expect(b.ledger.slice(-20)).toBe(first.ledger.slice(-20));
  });

  it('tells what could not be fitted beside the rest', async () => {
    const grid = {
      pca: [0, 7],
      normalize: 'l2' as const,
      heads: [{ head: 'knn', nNeighbors: [3, 40] }, { head: 'centroid' }],
    };
    const { skipped, candidates } = await sweep(store, { grid });
    expect(candidates).toHaveLength(2);
    expect(skipped.map(({ head, pca }) => `${head} ${pca}`)).toEqual(['knn 0', 'knn 7', 'knn 7', 'centroid 7']);
    expect(skipped[0]!.reason).toMatch(/nNeighbors is 40/);
  });

  it('measures the best as train does, and writes the head file that train writes', async () => {
    const heads = [{ head: 'logistic', C: 10 }];
    const grid = { pca: 3, normalize: 'standard' as const, pooling: 'max' as const, heads };
    const { best } = await sweep(store, { grid, save: true, reject: 0 });
    const options = { head: 'logistic', normalize: 'standard', pooling: 'max', pca: 3, reject: 0 } as const;
    const file = best.file!;
    const saved = readFileSync(file);
    const trained = await train(store, options, { C: 10 });
    const untimed = { fitMs: 0, predictMs: 0, looks: undefined };
    expect({ ...best, ...untimed }).toEqual({ ...trained, ...untimed });
    expect(readFileSync(file).equals(saved)).toBe(true);
  });

  it('takes cut layers that the store has, and names those that it has for another', async () => {
    const grid = {
      cut: ['', 'block5_pool:max'],
      pca: 0,
      normalize: 'l2' as const,
      heads: [{ head: 'centroid' }],
    };
    const { candidates } = await sweep(store, { grid });
    expect(candidates.map(({ cut }) => cut).sort()).toEqual(['', 'block5_pool:max']);
    await expect(sweep(store, { grid: { ...grid, cut: 'block4_pool' } })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/was extracted at block5_pool/) as string,
    });
  });

  it('is left alone by verify and gc', async () => {
    expect(await verify(store)).toMatchObject({ damaged: [], orphans: [] });
    const before = readFileSync(first.ledger);
    await gc(store);
    expect(readFileSync(first.ledger).equals(before)).toBe(true);
  });
});

describe('the folds of a sweep', () => {
  const samples = rows().filter(({ split }) => split === 'train');
  const plan = (folds: number, seed = 1, from = samples) => planSweep(from, () => 'features', { folds, seed }, []);

  it.each([1, 2, 3, 4, 5])('keep copies of one picture together, with seed %i', (seed) => {
    const { folds } = plan(5, seed);
    expect(folds.flatMap(({ val }) => val).sort((a, b) => a - b)).toEqual(samples.map((_, i) => i));
    for (const { train: rest, val } of folds) {
      const held = new Set(val.map((i) => samples[i]!.sha256));
      expect(rest.filter((i) => held.has(samples[i]!.sha256))).toEqual([]);
    }
  });

  it('are refused where one would lack a class or hold out nothing', () => {
    const lonely = [...samples, storedRow('z.jpg', { label: 'dog' })];
    expect(() => plan(5, 1, lonely)).toThrow(/no training image of dog/);
    expect(() => plan(46)).toThrow(/nSplits must be an integer from 2 to the number of rows, 45/);
    const copies = samples.map((sample) => ({ ...sample, sha256: sample.label }));
    expect(() => plan(5, 1, copies)).toThrow(/no training image of|hold out no image/);
    expect(() =>
      plan(
        2,
        1,
        samples.filter(({ label }) => label === 'ant'),
      ),
    ).toThrow(/two classes or more, found ant/);
  });
});
