import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { csvField, unescapedText, type CsvTexts } from '../../../core/table/csv.ts';
import type { AnswerTable, Row } from './answer-table.ts';
import type { RowFormat } from './rows-file.ts';

const lineOf = (texts: readonly string[]): string => `${texts.join(',')}\n`;

/** A row of a CSV, with its line break. */
export const csvRow = (texts: CsvTexts, table: AnswerTable, row: Row): string =>
  lineOf(table.cells(row).map((cell) => texts.of(cell)));

/** A CSV of answers, UTF-8, by RFC 4180 but for its line breaks, which are single; its formulas escaped or not. */
export function csvFormat({ columns }: AnswerTable, escapeFormulas: boolean): RowFormat {
  const pathIn = escapeFormulas ? unescapedText : (text: string): string => text;
  const names = columns.map(({ name }) => name);
  return {
    header: lineOf(names.map(csvField)),
    hasQuotes: true,
    async *read(file, bytes) {
      if (bytes === 0) return;
      const records = createReadStream(file, { end: bytes - 1 }).pipe(parse());
      let isHeader = true;
      for await (const record of records as AsyncIterable<string[]>) {
        if (isHeader && record.join('\0') !== names.join('\0'))
          throw new Error(`its columns are ${record.slice(0, 6).join(', ')}…, not ${names.slice(0, 6).join(', ')}…`);
        if (!isHeader) yield { path: pathIn(record[0]!), answeredBy: record.at(-1)! };
        isHeader = false;
      }
    },
  };
}
