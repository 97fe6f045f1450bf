/** A column of a table, in the words of no file format. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'text' | 'boolean' | 'float32';
  /** Whether values may be missing (null); by default none may. Not of columns with a width. */
  readonly nullable?: boolean;
  /** Numbers in each value: a column of lists of equal length, float32. */
  readonly width?: number;
}

/** The values of a column in some rows; of one with a width row after row, shape (rows, width). */
export type ColumnValues =
  readonly (string | null)[] | readonly (boolean | null)[] | readonly (number | null)[] | Float32Array;

/** Some rows of a table: the values of each column, in the order of the columns. */
export interface TableRows {
  readonly rows: number;
  readonly values: readonly ColumnValues[];
}

/** A table that is made as it is written: rows are valid until the next ones are asked for. */
export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: AsyncIterable<TableRows>;
}

/** The names of a column's numbers, where each number gets a column: `features_0` ... */
export const numberNames = ({ name, width = 0 }: TableColumn): string[] =>
  Array.from({ length: width }, (_, i) => `${name}_${i}`);
