import { parse } from 'csv-parse/sync';
import { few, PermafrostError, reasonOf } from '../../core/errors.ts';
import { trimmed } from './labels.ts';

/** One record of a list: its fields by column, the names trimmed and in lower case. */
export interface ListRecord {
  readonly line: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const LIST_HELP =
  'Each line needs path and label, and may have split (train, val or test); paths are relative to the file.';

export function failInLine(file: string, line: number, what: string): never {
  throw new PermafrostError('DATASET_LAYOUT', `${file}, line ${line}: ${what} ${LIST_HELP}`);
}

const columnName = (name: string): string => trimmed(name).toLowerCase();

/** Refuses a name that stands twice: which of the two counts would be a guess. Columns without a name may repeat. */
function requireOnce(file: string, line: number, names: readonly string[]): void {
  const twice = names.filter((name, i) => name !== '' && names.indexOf(name) < i);
  if (twice.length > 0)
    failInLine(
      file,
      line,
      `The column ${few([...new Set(twice)])} stands twice. Keep one, or give the other another name.`,
    );
}

const SEPARATORS = [',', ';', '\t', '|'];

/** The separator by which a header has a path and a label, else the one that parts it most, the comma first. */
function separatorOf(header: string): string {
  const columns = SEPARATORS.map((delimiter) => {
    try {
      const rows: string[][] = parse(header, {
        delimiter,
        to: 1,
        relax_column_count: true,
        trim: header.includes(`${delimiter} "`),
      });
      return (rows[0] ?? []).map(columnName);
    } catch {
      // A quote stands where this separator allows none, so it is not this one; the text is parsed again below.
      return [];
    }
  });
  const fits = columns.findIndex((names) => names.includes('path') && names.includes('label'));
  const most = columns.findIndex((names) => names.length === Math.max(...columns.map(({ length }) => length)));
  return SEPARATORS[fits >= 0 ? fits : Math.max(most, 0)]!;
}

function csvRecords(file: string, whole: string, each: (record: ListRecord) => void): void {
  // Excel's own first line.
  const named = /^"?sep=(.)"?\r?\n/i.exec(whole);
  const skipped = named === null ? 0 : 1;
  const text = whole.slice(named?.[0].length ?? 0);
  const delimiter = named?.[1] ?? separatorOf(text.slice(0, 2 ** 16));
  try {
    parse(text, {
      delimiter,
      columns: (header: string[]) => {
        const names = header.map(columnName);
        requireOnce(file, 1 + skipped, names);
        return names;
      },
      skip_empty_lines: true,
      // As people write it, `a.jpg, "bee, small"`. Else a blank may be part of a file's name.
      trim: text.includes(`${delimiter} "`),
      // What spreadsheets leave below the data: lines of separators alone.
      skip_records_with_empty_values: true,
      // Row by row: a million records beside a million samples would be a gigabyte.
      on_record: (fields: Record<string, string>, { lines }) => {
        each({ line: lines + skipped, fields });
        return null;
      },
    });
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    const told = delimiter === ',' ? '' : ` (its columns are separated by ${JSON.stringify(delimiter)})`;
    throw new PermafrostError('DATASET_LAYOUT', `${file} is no CSV${told}: ${reasonOf(cause)}. ${LIST_HELP}`, {
      cause,
    });
  }
}

function jsonlRecords(file: string, text: string, each: (record: ListRecord) => void): void {
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let fields: unknown;
    try {
      fields = JSON.parse(line);
    } catch (cause) {
      failInLine(file, i + 1, `No JSON (${reasonOf(cause)}).`);
    }
    if (fields === null || typeof fields !== 'object' || Array.isArray(fields))
      failInLine(file, i + 1, 'No JSON object.');
    const entries = Object.entries(fields).map(([name, value]) => [columnName(name), value as unknown] as const);
    requireOnce(
      file,
      i + 1,
      Array.from(entries, ([name]) => name),
    );
    // JSON.parse keeps the last of two equal keys; in a flat object each of its quoted names before a colon is a key.
    const isFlat = entries.every(([, value]) => value === null || typeof value !== 'object');
    const keys = isFlat ? line.matchAll(/(?<!\\)"(path|label|split)"\s*:/g) : [];
    requireOnce(
      file,
      i + 1,
      Array.from(keys, ([, name]) => name!),
    );
    each({ line: i + 1, fields: Object.fromEntries(entries) });
  }
}

/** Reads the records of a list, one by one: JSON lines, or a CSV separated by commas, semicolons, tabs or bars. */
export function readRecords(
  file: string,
  text: string,
  kind: 'csv' | 'jsonl',
  each: (record: ListRecord) => void,
): void {
  (kind === 'csv' ? csvRecords : jsonlRecords)(file, text, each);
}
