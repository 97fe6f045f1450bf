import { numberNames, type ColumnValues, type Table, type TableColumn } from './table.ts';

/** A field of a CSV by RFC 4180: quoted where it holds a comma, a quote, a line break, or begins or ends with space. */
export const csvField = (text: string): string =>
  /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

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

/** A value in a CSV: empty where it is missing, a number with the digits that float32 needs. */
export function valueText(value: string | boolean | number | null): string {
  if (value === null) return '';
  return typeof value === 'number' ? float32Text(Math.fround(value)) : csvField(String(value));
}

/** The texts of a column in row i. */
function textsAt({ width }: TableColumn, values: ColumnValues, i: number): string {
  if (width === undefined) return valueText(values[i]!);
  const numbers = (values as Float32Array).subarray(i * width, (i + 1) * width);
  return Array.from(numbers, float32Text).join(',');
}

/** Rows whose text is made at once. */
const ROWS_AT_ONCE = 1024;

/**
 * A table as CSV: a line of names, then a line a row. Lists get a column a number; what is missing is empty; numbers
 * have the digits that float32 needs.
 */
export async function* csvBytes({ columns, rows }: Table): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  const names = columns.flatMap((column) => (column.width === undefined ? [column.name] : numberNames(column)));
  yield encoder.encode(`${names.map(csvField).join(',')}\n`);
  for await (const { rows: count, values } of rows) {
    for (let from = 0; from < count; from += ROWS_AT_ONCE) {
      const lines: string[] = [];
      for (let i = from; i < Math.min(count, from + ROWS_AT_ONCE); i++)
        lines.push(columns.map((column, c) => textsAt(column, values[c]!, i)).join(','));
      yield encoder.encode(`${lines.join('\n')}\n`);
    }
  }
}
