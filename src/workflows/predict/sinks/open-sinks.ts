import { PermafrostError } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { csvTexts, formulasNote } from '../../../core/table/csv.ts';
import { isS3Address } from '../../../extract/source/s3/address.ts';
import type { WrittenAnswers } from '../../../results/answer-results.ts';
import type { PredictOptions } from '../options.ts';
import { csvFormat, csvRow } from './csv-rows.ts';
import { JSONL_FORMAT, jsonRow } from './jsonl-rows.ts';
import { requireNew, rowsBeside, writeParquetOfRows } from './parquet-of-rows.ts';
import { openRowsFile, type RowFormat } from './rows-file.ts';
import type { AnswerTable, Row } from './answer-table.ts';

/** Where answers go, row after row. */
export interface Sink {
  readonly kind: WrittenAnswers['kind'];
  /** '-' for standard output. */
  readonly file: string;
  /** Images that had a row before. */
  readonly known: ReadonlySet<string>;
  /** Adds the row of an image that has none. Throws STORE_WRITE. */
  write(row: Row): Promise<void>;
  /** Makes what is written whole: at the end of a run that did all of its work. */
  finish(): Promise<void>;
  /** Leaves rows where they are, for a later run. */
  close(): Promise<void>;
}

const STDOUT = '-';

/** The outputs that were named. */
type Outputs = Pick<PredictOptions, 'csv' | 'jsonl' | 'parquet' | 'escapeFormulas'>;

/** Whether there is any, and all can be written: before any work. Throws OPTION_INVALID. */
export function requireFiles({ csv, jsonl, parquet }: Outputs, canPrint: boolean): boolean {
  const refuse = (what: string): never => {
    throw new PermafrostError('OPTION_INVALID', `predict: ${what}`);
  };
  if (csv === STDOUT && jsonl === STDOUT) refuse('csv and jsonl cannot both go to standard output.');
  if (parquet === STDOUT) refuse('Parquet is no text for standard output. Name a file.');
  if ((csv === STDOUT || jsonl === STDOUT) && !canPrint)
    refuse('answers cannot go to standard output here, where it holds something else. Name a file.');
  const address = [csv, jsonl, parquet].find(isS3Address);
  if (address !== undefined) refuse(`${address} is an address, and answers are written to files. Name a file.`);
  const files = [csv, jsonl, parquet].filter((file) => file !== '' && file !== STDOUT);
  if (new Set(files).size < files.length) refuse('two outputs have one name. Give each a file of its own.');
  return [csv, jsonl, parquet].some((file) => file !== '');
}

/** Opens the outputs. Throws OPTION_INVALID, STORE_WRITE. */
export async function openSinks(
  { csv, jsonl, parquet, escapeFormulas }: Outputs,
  table: AnswerTable,
  print: ((text: string) => void) | undefined,
  listener: Listener = {},
): Promise<Sink[]> {
  const texts = csvTexts(escapeFormulas);
  const tellFormulas = (): Promise<void> => {
    const note = formulasNote(csv === STDOUT ? 'The CSV' : csv, texts);
    if (note !== undefined) listener.note?.(note);
    return Promise.resolve();
  };
  const sinks: Sink[] = [];
  const add = async (
    kind: Sink['kind'],
    file: string,
    format: RowFormat,
    toText: (table: AnswerTable, row: Row) => string,
    finish: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> => {
    if (file === STDOUT) {
      if (format.header !== '') print!(format.header);
      const nothing = (): Promise<void> => Promise.resolve();
      const write = (row: Row): Promise<void> => Promise.resolve(print!(toText(table, row)));
      sinks.push({ kind, file, known: new Set(), write, finish, close: nothing });
      return;
    }
    const rowsFile = await openRowsFile(kind === 'parquet' ? rowsBeside(file) : file, format, table.answeredBy);
    const { known } = rowsFile;
    const close = (): Promise<void> => rowsFile.close();
    const write = async (row: Row): Promise<void> => {
      if (!known.has(row.path)) await rowsFile.append(toText(table, row));
    };
    sinks.push({ kind, file, known, write, close, finish: () => close().then(finish) });
  };
  try {
    if (csv !== '')
      await add('csv', csv, csvFormat(table, escapeFormulas), (of, row) => csvRow(texts, of, row), tellFormulas);
    if (jsonl !== '') await add('jsonl', jsonl, JSONL_FORMAT, jsonRow);
    if (parquet !== '') {
      requireNew(parquet);
      await add('parquet', parquet, JSONL_FORMAT, jsonRow, () => writeParquetOfRows(parquet, table));
    }
  } catch (error) {
    for (const sink of sinks) await sink.close();
    throw error;
  }
  return sinks;
}
