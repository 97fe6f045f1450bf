import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { readParquet } from '../../../src/core/table/read-parquet.ts';
import { present } from '../../../src/results/or-reason.ts';
import type { HeadResult } from '../../../src/results/head-result.ts';
import { answersFiles } from '../../../src/store/format/answers/answers-seal.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import { readHead } from '../../../src/store/read/heads/head-file.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { openAnswers, storedAnswers } from '../../../src/workflows/train/answers/open-answers.ts';
import { openHead } from '../../../src/workflows/train/files/head-files.ts';
import { noveltyOf, probabilities } from '../../../src/workflows/train/trained-head.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { joinedStore } from '../../support/joined-store.ts';
import { commitSamples } from '../../support/stores.ts';

// Forty images, some of them copies of others: four of each six of the training images stand once.
const folder = temporaryFolders();
const COLUMNS = [
  'path',
  'label',
  'split',
  'out_of_fold',
  'answer',
  'probability',
  'unknown',
  'novelty',
  'p_ant',
  'p_bee',
];

/** A row of a table, by column. */
type Row = Readonly<Record<string, unknown>>;

async function rowsOf(parquet: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const group of readParquet(parquet, COLUMNS))
    for (let i = 0; i < group.rows; i++)
      rows.push(Object.fromEntries(COLUMNS.map((name) => [name, group.columns.get(name)![i]])));
  return rows;
}

async function trained(options: Parameters<typeof train>[1] = {}) {
  const { store, manifest } = await joinedStore(join(folder(), 'store'));
  const result = await train(store, { head: 'logistic', reject: 0.1, ...options });
  return { store, manifest, result, opened: await openStore(store) };
}

describe('the answers of a head', () => {
  let store: Store;
  let result: HeadResult;
  let rows: Row[];
  beforeAll(async () => {
    ({ result, opened: store } = await trained());
    rows = await rowsOf(result.answers!.parquet);
  });

  it('have a row for each image, in the order of the list, with its label and split', async () => {
    const samples = await store.samples();
    expect(rows.map(({ path, label, split }) => ({ path, label, split }))).toEqual(
      Array.from(samples, ({ path, label, split }) => ({ path, label, split })),
    );
    expect(result.answers).toMatchObject({ images: 40, answered: rows.filter(({ answer }) => answer !== null).length });
  });

  it('are those of the head itself for images that it has not seen', async () => {
    const head = await openHead(result.file!);
    const all = await store.rows({ parts: 'avg', memory: 'matrix' });
    let compared = 0;
    let i = 0;
    for (const { split, sha256 } of await store.samples()) {
      const row = rows[i]!;
      if (split === 'val' && !head.trainedOn!.has(sha256)) {
        const X = matrix(1, all.cols, all.matrix.data.slice(i * all.cols, (i + 1) * all.cols));
        const P = await probabilities(head, X);
        const judged = await noveltyOf(head, X);
        expect(row.out_of_fold).toBe(false);
        expect([row.p_ant, row.p_bee]).toEqual([...P.data].map((p) => expect.closeTo(p, 6) as number));
        expect(row.answer).toBe(row.p_ant! >= row.p_bee! ? 'ant' : 'bee');
        expect(row.probability).toBe(Math.max(row.p_ant as number, row.p_bee as number));
        expect(row.unknown).toBe(judged?.unknown[0] ?? false);
        compared++;
      }
      i++;
    }
    expect(compared).toBeGreaterThan(4);
  });

  it('are out of fold for training images, with the figures that the head was cross-validated at', async () => {
    const judged = rows.filter(({ split, out_of_fold }) => split === 'train' && out_of_fold === true);
    const { accuracy, logLoss, images } = result.crossValidated!;
    expect(judged).toHaveLength(images);
    expect(judged.filter(({ label, answer }) => label === answer).length / images).toBeCloseTo(accuracy, 9);
    const losses = judged.map((row) => -Math.log(row[`p_${row.label as string}`] as number));
    expect(losses.reduce((sum, loss) => sum + loss, 0) / images).toBeCloseTo(logLoss, 5);
    // The head itself has learned them: it would be surer.
    const seen = await openHead(result.file!);
    const stored = await store.rows({ parts: 'avg', splits: ['train'], memory: 'matrix' });
    const P = await probabilities(seen, stored.matrix);
    const surest = (values: readonly number[]): number => values.reduce((sum, p) => sum + p, 0) / values.length;
    const own = stored.labels.map((label, i) => P.data[2 * i + (label === 'ant' ? 0 : 1)]!);
    expect(surest(own)).toBeGreaterThan(surest(losses.map((loss) => Math.exp(-loss))));
  });

  it('of a held-out copy of a training image are what was said of that image out of fold', async () => {
    const head = await openHead(result.file!);
    const samples = [...(await store.samples())];
    const copies = samples.flatMap(({ split, sha256 }, i) =>
      split === 'val' && head.trainedOn!.has(sha256) ? [i] : [],
    );
    expect(copies.length).toBeGreaterThan(0);
    for (const i of copies) {
      const twin = samples.findIndex(({ split, sha256 }) => split === 'train' && sha256 === samples[i]!.sha256);
      expect(rows[i]).toMatchObject({ out_of_fold: true, p_ant: rows[twin]!.p_ant, answer: rows[twin]!.answer });
    }
  });

  it('are in the CSV as in the Parquet file, every float32 of them', () => {
    const [names, ...lines] = readFileSync(result.answers!.csv, 'utf8').trimEnd().split('\n');
    expect(names).toBe(COLUMNS.join(','));
    const text = (value: unknown): string => (value === null ? '' : JSON.stringify(value).replaceAll('"', ''));
    const read = lines.map((line) =>
      line
        .split(',')
        .map((field, c) =>
          /^p_|probability|novelty/.test(COLUMNS[c]!) && field !== '' ? Math.fround(Number(field)) : field,
        ),
    );
    expect(read).toEqual(
      rows.map((row) => COLUMNS.map((name) => (typeof row[name] === 'number' ? row[name] : text(row[name])))),
    );
  });
});

describe('a table of answers', () => {
  const fits = async (file: string, path: string) =>
    openAnswers(file, (await readHead(file)).document, await openStore(path));

  it('is read where it is of the head, the labels and the features; else it is said what it is of', async () => {
    const { store, result } = await trained();
    const file = result.file!;
    const found = await fits(file, store);
    if (!present(found)) throw new Error(found.missing);
    let images = 0;
    for await (const { paths, P } of storedAnswers(found)) {
      images += paths.length;
      expect(P.cols).toBe(2);
    }
    expect(images).toBe(40);
    const opened = await openStore(store);
    const others = Array.from(await opened.samples(), (sample, i) => (i === 3 ? { ...sample, label: 'bee' } : sample));
    const { document } = await readHead(file);
    expect(await openAnswers(file, document, opened.withSamples(others))).toEqual({
      missing: expect.stringContaining('of other images, labels or splits') as string,
    });
    appendFileSync(file, ' ');
    expect(await openAnswers(file, document, opened)).toEqual({
      missing: expect.stringContaining('is of another head') as string,
    });
  });

  it('goes with the list of samples that it is of, so that nobody reads stale labels', async () => {
    const { store, manifest, result } = await trained();
    const files = Object.values({ ...answersFiles(result.file!) });
    expect(files.every((file) => existsSync(file))).toBe(true);
    const samples = Array.from(await (await openStore(store)).samples(), (sample, i) =>
      i === 3 ? { ...sample, label: 'bee' } : sample,
    );
    await commitSamples({ store, manifest, set: manifest.sets[0]! }, samples);
    expect(files.filter((file) => existsSync(file))).toEqual([]);
    expect(existsSync(result.file!)).toBe(true);
  });

  it('that is damaged is named by verify and removed by repair; of a head that is gone gc removes it', async () => {
    const { store, result } = await trained();
    const csv = result.answers!.csv;
    expect((await verify(store)).damaged).toEqual([]);
    appendFileSync(csv, 'x');
    const { damaged } = await verify(store);
    expect(damaged.map(({ name }) => name)).toEqual([join('heads', basename(csv))]);
    await repair(store);
    expect(existsSync(csv)).toBe(false);
    expect((await verify(store)).damaged).toEqual([]);
    const again = await train(store, { head: 'logistic', reject: 0.1 });
    rmSync(again.file!);
    const removed = await gc(store);
    expect(removed.removedFiles).toBeGreaterThanOrEqual(3);
    expect(existsSync(again.answers!.parquet)).toBe(false);
  });
});
