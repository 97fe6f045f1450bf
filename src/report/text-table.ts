import { displayWidth, printable } from './printable.ts';

/** One column: its title, and `right` for numbers. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Columns whose cells stand to the left. */
export const left = (...titles: readonly string[]): Column[] => titles.map((title) => ({ title }));

/** Columns of numbers. */
export const right = (...titles: readonly string[]): Column[] => titles.map((title) => ({ title, align: 'right' }));

/** A plain-text table with aligned columns, a header and a rule; ends in a newline. Cells are made printable. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows].map((cells) => cells.map(printable));
  const widths = columns.map((_, c) => Math.max(...lines.map((cells) => displayWidth(cells[c]!))));
  const [header, ...body] = lines.map((cells) =>
    cells
      .map((cell, c) => {
        const space = ' '.repeat(widths[c]! - displayWidth(cell));
        return columns[c]!.align === 'right' ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [header, rule, ...body, ''].join('\n');
}

/** `key  value` lines with the values aligned; ends in a newline. Values may hold any text: it is made printable. */
export function textFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([key]) => key.length));
  return fields.map(([key, value]) => `${key.padEnd(width)}  ${printable(value)}\n`).join('');
}
