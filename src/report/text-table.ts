/** One column: its title, and `right` for numbers. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A plain-text table with aligned columns, a header and a rule; ends in a newline. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, c) =>
    Math.max(title.length, ...rows.map((cells) => cells[c]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (columns[c]!.align === 'right' ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [line(columns.map(({ title }) => title)), rule, ...rows.map(line), ''].join('\n');
}

/** `key  value` lines with the values aligned; ends in a newline. */
export function textFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([key]) => key.length));
  return fields.map(([key, value]) => `${key.padEnd(width)}  ${value}\n`).join('');
}
