import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PermafrostError } from '../../../core/errors.ts';
import { parquetBytes } from '../../../core/table/parquet.ts';
import type { ColumnValues, TableRows } from '../../../core/table/table.ts';
import { removeFile, writeOutput } from '../../../store/format/atomic-file.ts';
import type { AnswerTable, Cell, Row } from './answer-table.ts';

/** Rows of a row group: a file of many is read in parts. */
const GROUP_ROWS = 10_000;

/** The rows of a Parquet file that is not whole yet: JSON lines beside it. */
export const rowsBeside = (parquet: string): string => `${parquet}.rows.jsonl`;

/** Throws OPTION_INVALID where the file is there: a Parquet file cannot grow. */
export function requireNew(parquet: string): void {
  if (!existsSync(parquet)) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${parquet} is there already. Nothing is overwritten: name another file, or take it away.`,
  );
}

async function* groups(file: string, table: AnswerTable): AsyncGenerator<TableRows> {
  let values: Cell[][] = table.columns.map(() => []);
  const taken = (): TableRows => {
    const rows = { rows: values[0]!.length, values: values as readonly ColumnValues[] };
    values = table.columns.map(() => []);
    return rows;
  };
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    for (const [c, value] of table.cells(rowIn(line)).entries()) values[c]!.push(value);
    if (values[0]!.length === GROUP_ROWS) yield taken();
  }
  if (values[0]!.length > 0) yield taken();
}

/** A row as `jsonRow` wrote it. */
function rowIn(line: string): Row {
  const written = JSON.parse(line) as { path: string; error?: { code: never; reason: string } };
  const { path, error } = written;
  return error === undefined ? ({ neighbors: [], ...written } as unknown as Row) : { path, ...error };
}

/** Makes the Parquet file of the rows beside it, whole or not at all, and takes those away. Throws STORE_WRITE. */
export async function writeParquetOfRows(parquet: string, table: AnswerTable): Promise<void> {
  const rows = rowsBeside(parquet);
  const metadata = new Map([['permafrost', JSON.stringify({ answered_by: table.answeredBy })]]);
  await writeOutput(parquet, parquetBytes({ columns: table.columns, rows: groups(rows, table) }, { metadata }));
  await removeFile(rows);
}
