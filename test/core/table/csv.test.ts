import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { csvBytes, csvTexts, formulasNote, unescapedText } from '../../../src/core/table/csv.ts';

/** What spreadsheets compute, and what only looks like it. */
const FORMULAS = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1+1', `=HYPERLINK("http://x","y")`];
const PLAIN = ['a', '', "'", "'quoted'", 'a=b', '1-2', ' =1', './=1', '漢字'];

/** A column of texts as a CSV, read again. */
async function written(values: readonly string[], texts = csvTexts()): Promise<string[]> {
  async function* rows() {
    yield await Promise.resolve({ rows: values.length, values: [values] });
  }
  const parts: Uint8Array[] = [];
  for await (const bytes of csvBytes({ columns: [{ name: 'text', type: 'text' }], rows: rows() }, texts))
    parts.push(bytes);
  const records: string[][] = parse(Buffer.concat(parts), { recordDelimiter: '\n' });
  return records.slice(1).map(([text]) => text!);
}

describe('texts of a CSV', () => {
  it('stand there as they are, and those that a spreadsheet may compute are counted', async () => {
    const texts = csvTexts();
    const values = [...FORMULAS, ...PLAIN];
    expect(await written(values, texts)).toEqual(values);
    expect(texts.formulas).toBe(FORMULAS.length);
    expect(formulasNote('a.csv', texts)).toContain(`a.csv: ${FORMULAS.length} texts begin with =, +, - or @`);
    expect(formulasNote('a.csv', csvTexts())).toBeUndefined();
  });

  it('get an apostrophe where that is asked for, and can be read back, each one differently', async () => {
    const texts = csvTexts(true);
    const values = [...FORMULAS, ...FORMULAS.map((text) => `'${text}`), ...PLAIN];
    const found = await written(values, texts);
    expect(found.filter((text) => /^[=+\-@\t\r\n＝＋－＠]/.test(text))).toEqual([]);
    expect(found.slice(-PLAIN.length)).toEqual(PLAIN);
    expect(found.map(unescapedText)).toEqual(values);
    expect(new Set(found).size).toBe(new Set(values).size);
    expect(texts.formulas).toBe(0);
  });

  it('are texts alone: a negative number is no formula', () => {
    const texts = csvTexts(true);
    expect([texts.of(-0.5), texts.of(true), texts.of(null)]).toEqual(['-0.5', 'true', '']);
  });
});
