import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import { openClassifier, predict, type PredictOptions } from '../../../src/index.ts';
import { answerTable } from '../../../src/workflows/predict/sinks/answer-table.ts';
import { openSinks } from '../../../src/workflows/predict/sinks/open-sinks.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { pictures, tinyHead, type TinyHead } from '../../support/tiny-head.ts';

const folder = temporaryFolders();
let head: TinyHead;
let images: string[];

/** Names that a careless CSV would break on. */
const ODD = ['plain.png', 'a "quoted", name.png', 'two\nlines\r.png', ' spaces .png', 'ünïcödé 漢字.png', '=1+1.png'];

beforeAll(async () => {
  head = await tinyHead(folder());
  images = await pictures(folder(), ODD);
});

const quiet = (options: Partial<PredictOptions>, given = images) => predict(head.file, given, options);
const rowsOf = (csv: string): Record<string, string>[] => parse(readFileSync(csv, 'utf8'), { columns: true });
const linesOf = (jsonl: string): { path: string; [name: string]: unknown }[] =>
  readFileSync(jsonl, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string });

describe('answers in files', () => {
  it('are the answers, exactly, whatever images are called', async () => {
    const out = folder();
    const [csv, jsonl, parquet] = ['a.csv', 'a.jsonl', 'a.parquet'].map((name) => join(out, name)) as [
      string,
      string,
      string,
    ];
    const bad = join(folder(), 'bad.png');
    writeFileSync(bad, 'no image');
    const { predictions } = await quiet({ neighbors: 1 });
    const result = await quiet({ csv, jsonl, parquet, neighbors: 1 }, [...images, bad]);
    expect(result).toMatchObject({
      predictions: [],
      counts: { images: 7, answered: 6, failed: 1, unknown: 0, before: 0 },
      written: [
        { kind: 'csv', file: csv, rows: 7 },
        { kind: 'jsonl', file: jsonl, rows: 7 },
        { kind: 'parquet', file: parquet, rows: 7 },
      ],
    });
    const [rows, lines] = [rowsOf(csv), linesOf(jsonl)];
    const bytes = readFileSync(parquet);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const table = await parquetReadObjects({ file });
    expect(rows.map(({ path }) => path)).toEqual([...images, bad]);
    for (const [i, answer] of predictions.entries()) {
      const { path, label, unknown, probability, probabilities, strangeness, neighbors } = answer;
      const [near] = neighbors;
      expect(lines[i]).toMatchObject({ path, label, unknown, probability, probabilities, strangeness, neighbors });
      expect(rows[i]).toMatchObject({ path, label, unknown: String(unknown), neighbor_1: near!.path, error: '' });
      expect(Math.fround(Number(rows[i]!['probability']))).toBe(probability);
      expect(Math.fround(Number(rows[i]!['p_b']))).toBe(probabilities['b']);
      expect(table[i]).toMatchObject({
        path,
        label,
        unknown,
        probability,
        p_a: probabilities['a'],
        neighbor_1_label: near!.label,
      });
    }
    expect(rows[6]).toMatchObject({ path: bad, label: '', p_a: '' });
    expect(rows[6]!['error']).toMatch(/^IMAGE_UNDECODABLE: /);
    expect(lines[6]).toMatchObject({ path: bad, error: { code: 'IMAGE_UNDECODABLE' } });
    expect(table[6]).toMatchObject({ path: bad, label: null, unknown: null });
  });

  it('hold the likeliest classes in place of all where so many are asked for', async () => {
    const csv = join(folder(), 'a.csv');
    await quiet({ csv, top: 5 });
    const [row] = rowsOf(csv);
    expect(Object.keys(row!)).toEqual([
      ...['path', 'label', 'unknown', 'probability', 'novelty'],
      ...['top_1', 'top_1_probability', 'top_2', 'top_2_probability', 'error', 'answered_by'],
    ]);
    expect([row!['top_1'], row!['top_2']].sort()).toEqual(['a', 'b']);
    expect(row!['top_1']).toBe(row!['label']);
    const { predictions } = await quiet({ top: 1 });
    expect(predictions[0]!.top).toEqual([{ label: row!['label'], probability: predictions[0]!.probability }]);
  });

  it('say unknown of images whose likeliest class is not likely enough', async () => {
    const { predictions, counts } = await quiet({ minProbability: 1 });
    expect(predictions.map(({ unknown, label }) => [unknown, label === ''])).toEqual(images.map(() => [true, false]));
    expect(counts.unknown).toBe(images.length);
  });
});

describe('a run that ended before its work was done', () => {
  it.each(['csv', 'jsonl'] as const)('goes on where its %s ends, a torn last row being made anew', async (kind) => {
    const out = folder();
    const [whole, torn] = [join(out, `whole.${kind}`), join(out, `torn.${kind}`)];
    await quiet({ [kind]: whole });
    const bytes = readFileSync(whole);
    const read = (file: string): unknown[] => (kind === 'csv' ? rowsOf(file) : linesOf(file));
    // Within the header, within a quoted name, before the last line break: wherever it was killed.
    for (const at of [0, 3, Math.floor(bytes.length * 0.4), Math.floor(bytes.length * 0.6), bytes.length - 1]) {
      writeFileSync(torn, bytes);
      truncateSync(torn, at);
      const notes: string[] = [];
      const work = { listener: { note: (text: string) => notes.push(text) } };
      const { counts, written } = await predict(head.file, images, { [kind]: torn }, work);
      expect(counts.before + counts.answered).toBe(images.length);
      if (at > bytes.length / 2) expect(counts.before).toBeGreaterThan(1);
      expect(notes.some((note) => note.includes('not asked about again'))).toBe(counts.before > 0);
      expect(written).toMatchObject([{ rows: images.length }]);
      expect(read(torn)).toHaveLength(images.length);
      expect(read(torn).map((row) => (row as { path: string }).path)).toEqual(images);
    }
  });

  it('goes on with further images, and a Parquet file is made when all are there', async () => {
    const parquet = join(folder(), 'a.parquet');
    const all = [
      ...images,
      ...(await pictures(
        folder(),
        Array.from({ length: 60 }, (_, i) => `${i}.png`),
        100,
      )),
    ];
    const ended = new AbortController();
    const progress = ({ done }: { done: number }): void => {
      if (done === 2) ended.abort();
    };
    const stopped = predict(head.file, all, { parquet }, { signal: ended.signal, listener: { progress } });
    const { message } = await rejection(stopped, 'INTERRUPTED');
    expect(message).toMatch(
      /^Interrupted after \d+ of 66 images; what is written stays, and the same command goes on\.$/,
    );
    const { counts } = await quiet({ parquet }, all);
    expect(counts.before).toBeGreaterThanOrEqual(2);
    expect(counts.answered).toBe(all.length - counts.before);
    const bytes = readFileSync(parquet);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const rows: Record<string, unknown>[] = await parquetReadObjects({ file });
    expect(rows.map((row) => row['path'])).toEqual(all);
    const again = await rejection(quiet({ parquet }), 'OPTION_INVALID');
    expect(again.message).toContain('is there already. Nothing is overwritten');
  });

  it('mixes no answers of another head or another question, and overwrites nothing', async () => {
    const out = folder();
    const csv = join(out, 'a.csv');
    await quiet({ csv }, images.slice(0, 2));
    const before = readFileSync(csv);
    const other = await tinyHead(folder(), { reject: 0.05 });
    for (const refused of [
      () => predict(other.file, images, { csv }),
      () => quiet({ csv, minProbability: 0.9 }),
      () => quiet({ csv, top: 1 }),
      () => quiet({ csv, escapeFormulas: true }),
      () => quiet({ jsonl: csv }),
    ]) {
      const { message } = await rejection(refused(), 'OPTION_INVALID');
      expect(message).toContain(`${csv} is there already, and `);
      expect(readFileSync(csv)).toEqual(before);
    }
    const notes = join(out, 'notes.csv');
    for (const text of ['shopping list', 'a,b\n1,2\n']) {
      writeFileSync(notes, text);
      await rejection(quiet({ csv: notes }), 'OPTION_INVALID');
      expect(readFileSync(notes, 'utf8')).toBe(text);
    }
    expect((await quiet({ csv })).counts.before).toBe(2);
  });

  it('mixes no answers of another engine, and says which those are of', async () => {
    const out = folder();
    const [csv, jsonl] = [join(out, 'a.csv'), join(out, 'a.jsonl')];
    await quiet({ csv, jsonl }, images.slice(0, 2));
    for (const [kind, file] of Object.entries({ csv, jsonl })) {
      const text = readFileSync(file, 'utf8');
      expect(text).toContain(' onnxruntime/cpu/fp32');
      const other = text.replaceAll('onnxruntime/cpu/fp32', 'openvino/cpu/bf16');
      writeFileSync(file, other);
      const { message } = await rejection(quiet({ [kind]: file }), 'OPTION_INVALID');
      expect(message).toMatch(/of another engine.*openvino\/cpu\/bf16, here .* onnxruntime\/cpu\/fp32/);
      expect(readFileSync(file, 'utf8')).toBe(other);
    }
  });
});

describe('a CSV for spreadsheets', () => {
  it('has no text that would be computed where that is asked for, and goes on; else it is said', async () => {
    const formulas = await tinyHead(folder(), { classes: ['=1+1', '@b'] });
    const out = folder();
    const [plain, escaped] = [join(out, 'plain.csv'), join(out, 'escaped.csv')];
    const notes: string[] = [];
    const work = { listener: { note: (text: string) => notes.push(text) } };
    await predict(formulas.file, images, { csv: plain }, work);
    expect(rowsOf(plain).every(({ label }) => ['=1+1', '@b'].includes(label!))).toBe(true);
    expect(notes.join('\n')).toContain(`${plain}: ${images.length} texts begin with =, +, - or @`);
    notes.length = 0;
    const asked = { csv: escaped, escapeFormulas: true };
    await predict(formulas.file, images.slice(0, 3), asked, work);
    const { counts } = await predict(formulas.file, images, asked, work);
    expect(counts.before).toBe(3);
    expect(notes.join('\n')).not.toContain('a spreadsheet may compute');
    expect(rowsOf(escaped).map(({ label }) => label)).toEqual(rowsOf(plain).map(({ label }) => `'${label}`));
  });

  it('knows the images of its rows again by their names before they were escaped', async () => {
    const classifier = await openClassifier(head.file);
    const asked = { top: 0, neighbors: 0, minProbability: 0, escapeFormulas: true };
    const csv = join(folder(), 'a.csv');
    const open = () =>
      openSinks({ csv, jsonl: '', parquet: '', ...asked }, answerTable(classifier.facts, asked), undefined);
    await classifier.close();
    const names = ['=1.png', "'=1.png", "'a.png"];
    const [first] = await open();
    for (const path of names) await first!.write({ path, code: 'IMAGE_UNREADABLE', reason: '@nowhere' });
    await first!.finish();
    expect(rowsOf(csv).map(({ path }) => path)).toEqual(["'=1.png", "''=1.png", "'a.png"]);
    const [again] = await open();
    expect([...again!.known]).toEqual(names);
    await again!.close();
  });
});

describe('outputs that cannot be', () => {
  it.each([
    [{ csv: '-', jsonl: '-' }, 'cannot both go to standard output'],
    [{ csv: '-' }, 'cannot go to standard output here'],
    [{ parquet: '-' }, 'Parquet is no text'],
    [{ csv: 's3://bucket/a.csv' }, 'is an address'],
    [{ csv: 'a.txt', jsonl: 'a.txt' }, 'two outputs have one name'],
    [{ link: true }, 'which is not given'],
  ] as const)('are refused before any work: %j', async (options, reason) => {
    const { message } = await rejection(predict('nowhere', images, options), 'OPTION_INVALID');
    expect(message).toContain(reason);
  });

  it('are told where the folder of a file is not there', async () => {
    await rejection(quiet({ csv: join(folder(), 'none', 'a.csv') }), 'STORE_WRITE');
  });
});
