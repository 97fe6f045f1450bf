import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/results/head-result.ts';
import type { SweepResult } from '../../../src/results/sweep-result.ts';
import { present } from '../../../src/results/report-data.ts';
import { runText, trainText } from '../../../src/report/run-report.ts';
import { sweepText } from '../../../src/report/sweep-report.ts';
import { openStore } from '../../../src/store/open.ts';
import { readHead, writeHead } from '../../../src/store/read/heads/head-file.ts';
import { CONTENTS_TENSOR } from '../../../src/store/read/heads/trained-contents.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { reportData } from '../../../src/workflows/report/data.ts';
import { run } from '../../../src/workflows/run/run.ts';
import { openHead } from '../../../src/workflows/train/files/head-files.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { document, permafrost } from '../../support/command.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';

const folder = temporaryFolders();
const FAST = { cut: 'block1_pool:avg', engine: 'onnxruntime' } as const;
const BROKEN = 'no picture';
/** A sweep of a few heads by the built program, which its threads run. */
async function swept(store: string, ...flags: string[]) {
  const grid = join(folder(), 'grid.json');
  writeFileSync(grid, JSON.stringify({ heads: [{ head: 'logistic' }, { head: 'centroid' }] }));
  const finished = await permafrost([
    'sweep',
    store,
    '--grid',
    grid,
    '--workers',
    '1',
    '--reject',
    '0',
    '--json',
    ...flags,
  ]);
  expect(finished).toMatchObject({ code: 0 });
  return { result: document<SweepResult>(finished), notes: finished.stderr };
}

const few = { maxThumbnails: 0, mapImages: 0 };

async function ran(files: Record<string, number | string>) {
  const dataset = await noiseDataset(join(folder(), 'data'), files);
  const store = join(folder(), 'store');
  const result = await run(dataset, { ...FAST, reject: 0, store });
  return { dataset, store, result, best: result.heads[0]! };
}

async function judged(store: string) {
  const { judgement } = await reportData(store, few);
  return judgement;
}

describe('a head that was saved', () => {
  it('keeps which images it was trained on', async () => {
    const { store, best } = await ran(twoClasses(10));
    const { trainedOn } = await openHead(best.file!);
    const samples = [...(await (await openStore(store)).samples())];
    expect(trainedOn!.size).toBe(best.trained);
    for (const { sha256, split } of samples) expect(trainedOn!.has(sha256)).toBe(split === 'train');
  });

  it('is never reported on images that it was trained on, under whatever split, name or class', async () => {
    const { dataset, store, best } = await ran(twoClasses(12));
    const { trainedOn } = await openHead(best.file!);
    await extract(dataset, { ...FAST, store, seed: 5, valFraction: 0.5, resplit: true });
    renameSync(join(dataset, 'a/p1.png'), join(dataset, 'a/renamed.png'));
    await extract(dataset, { ...FAST, store });
    const held = [...(await (await openStore(store)).samples())].filter(({ split }) => split === 'val');
    const unseen = held.filter(({ sha256 }) => !trainedOn!.has(sha256));
    const judgement = await judged(store);
    if (!present(judgement)) throw new Error(judgement.missing);
    expect(unseen.length).toBeLessThan(held.length);
    expect(judgement.validated).toBe(unseen.length);
    expect(judgement.judged).toHaveLength(unseen.length);
    expect(judgement.caution).toContain(
      `The head was trained on ${held.length - unseen.length} of the ${held.length} val images that the store holds now`,
    );
  });

  it('has no figure where no other image is left, and it is said what to do', async () => {
    const { dataset, store, best } = await ran(twoClasses(8));
    const { trainedOn } = await openHead(best.file!);
    const samples = [...(await (await openStore(store)).samples())];
    const lines = samples.map(({ path, label, sha256 }) =>
      [path, label, trainedOn!.has(sha256) && /p\d\.png$/.test(path) ? 'val' : 'train'].join(),
    );
    const labels = join(dataset, 'swapped.csv');
    // One training image of each class stays, as a class needs one.
    const keep = ['a', 'b'].map((name) => lines.findIndex((line) => line.includes(`,${name},val`)));
    for (const at of keep) lines[at] = lines[at]!.replace(/val$/, 'train');
    writeFileSync(labels, ['path,label,split', ...lines, ''].join('\n'));
    await extract(dataset, { ...FAST, store, labels });
    const judgement = await judged(store);
    if (present(judgement)) throw new Error('it was judged');
    expect(judgement.missing).toMatch(/was trained on all \d+ images that the store now holds out.*"permafrost run"/);
  });

  it('of an older version, which did not keep them, is reported with the remark that it is not known', async () => {
    const { store, best } = await ran(twoClasses(8));
    const { document, tensors } = await readHead(best.file!);
    await writeHead(best.file!, document, new Map([...tensors].filter(([name]) => name !== CONTENTS_TENSOR)));
    expect((await openHead(best.file!)).trainedOn).toBeUndefined();
    const judgement = await judged(store);
    if (!present(judgement)) throw new Error(judgement.missing);
    expect(judgement.accuracy).toBe(best.accuracy);
    expect(judgement.caution).toMatch(/did not keep which images it was trained on, so it is not known/);
  });
});

describe('Train and Val that share files', () => {
  it('are told first, and no figure counts the copies, which are right by memory', async () => {
    const files = { ...twoClasses(8, 'Train/'), ...twoClasses(6, 'Val/', 100) };
    const dataset = await noiseDataset(join(folder(), 'data'), files);
    for (const label of ['a', 'b'])
      for (const i of [0, 1, 2, 3])
        copyFileSync(join(dataset, `Train/${label}/p${i}.png`), join(dataset, `Val/${label}/copy${i}.png`));
    const store = join(folder(), 'store');
    const result = await run(dataset, { ...FAST, reject: 0, store });
    expect(result.splits).toEqual({ train: 16, val: 20 });
    expect(result.inTrainToo).toEqual({ val: 8 });
    for (const head of result.heads) expect(head).toMatchObject({ validated: 12, leftOut: 8 });
    const [best] = result.heads;
    expect(best!.accuracyWithLeftOut).toBeGreaterThanOrEqual((best!.accuracy * 12) / 20);
    const [first, second] = runText(result).split('\n');
    expect(first).toMatch(
      /^8 of 20 val images are files of the same content as training images: no figure counts them\./,
    );
    expect(second).toMatch(new RegExp(`is right about ${best!.accuracy.toFixed(4)} of the others`));
    const judgement = await judged(store);
    expect(judgement).toMatchObject({ validated: 12, accuracy: best!.accuracy });
    expect(trainText(await train(store, { reject: 0 }))).toContain('8 of 20 val images are files of the same content');
  });

  it('wholly is an error that says so', async () => {
    const files = { ...twoClasses(4, 'Train/'), ...twoClasses(2, 'Val/') };
    const { message } = await rejection(ran(files), 'FIT_INVALID');
    expect(message).toMatch(/Every val image of .* has a file of the same content in train/);
  });
});

describe('classes and splits that are lost in decoding', () => {
  const lost = {
    ...twoClasses(4, 'Train/'),
    ...twoClasses(3, 'Val/', 50),
    'Train/c/0.png': BROKEN,
    'Train/c/1.png': BROKEN,
    'Val/c/0.png': 901,
    'Val/c/1.png': 902,
    'Val/c/2.png': 903,
  };

  it('are named, and count with a recall of 0 in run, train, sweep and report', async () => {
    const { store, result, best } = await ran(lost);
    expect(result.failed).toHaveLength(2);
    expect(result.warnings.join()).toMatch(
      /Class "c" has no training image left: 2 of 2 failed \(failures\.csv .*its 3 val images count as wrong/,
    );
    const { classes, counts } = result.confusion;
    expect(classes).toEqual(['a', 'b', 'c']);
    const recall = (c: number): number => counts[c]![c]! / counts[c]!.reduce((sum, n) => sum + n, 0);
    expect(recall(2)).toBe(0);
    expect(best.balancedAccuracy).toBeCloseTo((recall(0) + recall(1)) / 3, 12);
    expect(best).toMatchObject({ unlearned: ['c'], validated: 9 });
    expect(best.accuracy * 9).toBeCloseTo(counts[0]![0]! + counts[1]![1]!, 12);
    expect(runText(result)).toMatch(/^No training image is left of "c"/);

    const trained = await train(store, { reject: 0.05 });
    expect(trained.unlearned).toEqual(['c']);
    expect(trained.balancedAccuracy).toBeLessThanOrEqual(2 / 3);
    expect(trainText(trained)).toContain('No training image is left of "c"');
    const { result: found } = await swept(store, '--folds', '2');
    expect(found.best.unlearned).toEqual(['c']);
    expect(sweepText(found, 3)).toContain('No training image is left of "c"');
    const judgement = await judged(store);
    expect(judgement).toMatchObject({ validated: 9, accuracy: best.accuracy });
    if (!present(judgement)) throw new Error(judgement.missing);
    expect(judgement.classes.find(({ label }) => label === 'c')).toMatchObject({ recall: 0, support: 3 });
  });

  it('are an error in words where nothing is left to judge on, to train on or to tell apart', async () => {
    const broken = (files: Record<string, number>): Record<string, string> =>
      Object.fromEntries(Object.keys(files).map((path) => [path, BROKEN]));
    const [inTrain, inVal] = [twoClasses(3, 'Train/'), twoClasses(2, 'Val/', 50)];
    for (const [files, said] of [
      [{ ...inTrain, ...broken(inVal) }, /All 4 val images failed: failures\.csv/],
      [{ ...broken(inTrain), ...inVal }, /All 6 train images failed: failures\.csv/],
      [
        { ...inTrain, ...inVal, 'Train/b/p0.png': BROKEN, 'Train/b/p1.png': BROKEN, 'Train/b/p2.png': BROKEN },
        /training images of one class alone, "a".*3 images failed/,
      ],
    ] as const)
      expect((await rejection(ran(files), 'FIT_INVALID')).message).toMatch(said);
  });

  it('one image of each class is an error before anything is extracted', async () => {
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(1));
    const store = join(folder(), 'store');
    const { message } = await rejection(run(dataset, { ...FAST, reject: 0, store }), 'DATASET_CLASSES');
    expect(message).toMatch(/one image of each of its 2 classes .*none can be held out/);
    expect(existsSync(store)).toBe(false);
  });
});

describe('labelled test images', () => {
  const files = { ...twoClasses(6, 'Train/'), ...twoClasses(4, 'Val/', 50), ...twoClasses(5, 'Test/', 80) };

  it('are scored once, by the chosen head, with an interval; copies of training images are left out', async () => {
    const { dataset, store, result, best } = await ran(files);
    if (best.test === undefined || !present(best.test)) throw new Error('no test score');
    expect(best.test).toMatchObject({ split: 'test', images: 10, leftOut: 0, unlearned: [] });
    const hits = Math.round(best.test.accuracy * 10);
    expect(best.test.accuracy).toBeCloseTo(hits / 10, 12);
    expect(best.test.interval[0]).toBeLessThan(best.test.accuracy + 1e-12);
    for (const other of result.heads.slice(1)) expect(other.test).toBeUndefined();
    expect(runText(result)).toContain(
      `Test, which had no part in the choice: accuracy ${best.test.accuracy.toFixed(4)}`,
    );
    const kept = JSON.parse(readFileSync(join(store, 'results.json'), 'utf8')) as RunResult;
    expect(kept.heads[0]!.test).toEqual(best.test);

    expect((await train(store, { reject: 0 })).test).toBeUndefined();
    copyFileSync(join(dataset, 'Train/a/p0.png'), join(dataset, 'Test/a/copy.png'));
    await extract(dataset, { ...FAST, store });
    const scored = await train(store, { reject: 0, scoreTest: true });
    expect(scored.test).toMatchObject({ images: 10, leftOut: 1 });
    expect(trainText(scored)).toContain('1 test image left out');
  });

  it('that validate, for there is no Val, are not scored twice', async () => {
    const { store, best } = await ran({ ...twoClasses(6, 'Train/'), ...twoClasses(4, 'Test/', 50) });
    expect(best).toMatchObject({ validatedOn: 'test', validated: 8 });
    expect(best.test).toBeUndefined();
    const { test } = await train(store, { reject: 0, scoreTest: true });
    expect(test).toEqual({ missing: expect.stringContaining('no val images') as string });
  });
});

describe('a class of one training image', () => {
  it('is left out of a sweep with a warning, and is among the classes of the best head', async () => {
    const files = { ...twoClasses(6, 'Train/'), 'Train/c/one.png': 700, ...twoClasses(3, 'Val/', 50) };
    const dataset = await noiseDataset(join(folder(), 'data'), files);
    const store = join(folder(), 'store');
    await extract(dataset, { ...FAST, store });
    const { result, notes } = await swept(store, '--folds', '3', '--save');
    expect(notes).toMatch(/Classes with one training image are left out of the cross-validation.*: c\./);
    expect(result).toMatchObject({ images: 13, crossValidated: 12, classes: ['a', 'b'], leftOut: ['c'] });
    expect(result.best.trained).toBe(13);
    expect((await openHead(result.best.file!)).head.classes).toEqual(['a', 'b', 'c']);
    expect(sweepText(result, 2)).toContain('Left out, with one training image each: "c"');
  });
});
