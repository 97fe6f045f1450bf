import { booleanOption } from '../options.ts';
import { numberNames, type ColumnValues, type Table, type TableColumn } from './table.ts';

/** A field of a CSV by RFC 4180: quoted where it holds a comma, a quote, a line break, or begins or ends with space. */
export const csvField = (text: string): string =>
  /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** Whether texts of a CSV are kept from being formulas. */
export const ESCAPE_FORMULAS_OPTION = booleanOption(
  false,
  'in CSV put an apostrophe before texts that a spreadsheet would compute: those that begin with =, +, - or @',
);

/** How formulas begin in spreadsheets (OWASP, "CSV Injection"); apostrophes before one are counted with it. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
const ESCAPED = /^'(?='*[=+\-@\t\r\n＝＋－＠])/;

/** A text as it was before it was escaped. */
export const unescapedText = (text: string): string => text.replace(ESCAPED, '');

/** Writes the values of one CSV. */
export interface CsvTexts {
  /** A value: empty where it is missing, a number with the digits that float32 needs. */
  of(value: string | boolean | number | null): string;
  /** How many texts so far stand there unescaped though a spreadsheet may compute them. */
  readonly formulas: number;
}

/** With `escapeFormulas` texts that a spreadsheet would compute get an apostrophe, others stay as they are. */
export function csvTexts(escapeFormulas = false): CsvTexts {
  let formulas = 0;
  return {
    of(value) {
      if (typeof value !== 'string' || !FORMULA.test(value)) return valueText(value);
      if (escapeFormulas) return csvField(`'${value}`);
      formulas++;
      return csvField(value);
    },
    get formulas() {
      return formulas;
    },
  };
}

/** What is said of a CSV that holds such texts; undefined where it holds none. */
export const formulasNote = (file: string, { formulas }: CsvTexts): string | undefined =>
  formulas === 0
    ? undefined
    : `${file}: ${formulas === 1 ? 'a text begins' : `${formulas} texts begin`} with =, +, - or @, and a spreadsheet may compute ${formulas === 1 ? 'it' : 'them'}. Import such columns as text, or give --escape-formulas.`;

/** Digits that tell any two float32 apart, and the fewest that are tried. */
const [MOST_DIGITS, FEWEST_DIGITS] = [9, 6];

/** A float32 in the fewest digits that give it again. */
function float32Text(value: number): string {
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(MOST_DIGITS)));
}

/** A value as it is: empty where it is missing, a number with the digits that float32 needs. */
function valueText(value: string | boolean | number | null): string {
  if (value === null) return '';
  return typeof value === 'number' ? float32Text(Math.fround(value)) : csvField(String(value));
}

/** The texts of a column in row i. */
function textsAt({ width }: TableColumn, values: ColumnValues, i: number, texts: CsvTexts): string {
  if (width === undefined) return texts.of(values[i]!);
  const numbers = (values as Float32Array).subarray(i * width, (i + 1) * width);
  return Array.from(numbers, float32Text).join(',');
}

/** Rows whose text is made at once. */
const ROWS_AT_ONCE = 1024;

/**
 * A table as CSV: a line of names, then a line a row, its values as `texts` writes them. Lists get a column a number;
 * what is missing is empty; numbers have the digits that float32 needs.
 */
export async function* csvBytes({ columns, rows }: Table, texts = csvTexts()): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const names = columns.flatMap((column) => (column.width === undefined ? [column.name] : numberNames(column)));
  yield encoder.encode(`${names.map(csvField).join(',')}\n`);
  for await (const { rows: count, values } of rows) {
    for (let from = 0; from < count; from += ROWS_AT_ONCE) {
      const lines: string[] = [];
      for (let i = from; i < Math.min(count, from + ROWS_AT_ONCE); i++)
        lines.push(columns.map((column, c) => textsAt(column, values[c]!, i, texts)).join(','));
      yield encoder.encode(`${lines.join('\n')}\n`);
    }
  }
}
