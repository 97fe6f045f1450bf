import { parquetWriter, type ColumnSource, type SchemaElement } from './parquet-packages.ts';
import { numberNames, type ColumnValues, type Table, type TableColumn, type TableRows } from './table.ts';

/** How lists are written: a list a value, or a column a number. */
export type ListsAs = 'lists' | 'columns';

export interface ParquetRequest {
  /** Of columns with a width; by default `lists`. */
  readonly listsAs?: ListsAs;
  /** Key-value metadata of the file. */
  readonly metadata?: ReadonlyMap<string, string>;
}

const TYPES = { text: 'BYTE_ARRAY', boolean: 'BOOLEAN', float32: 'FLOAT' } as const;

const leaf = (name: string, type: TableColumn['type'], nullable: boolean): SchemaElement => ({
  name,
  type: TYPES[type],
  repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
  ...(type === 'text' && { converted_type: 'UTF8', logical_type: { type: 'STRING' } }),
});

/** The elements of a column: one, three of a list (LogicalTypes.md of parquet-format), or as many as it has numbers. */
function elementsOf(column: TableColumn, listsAs: ListsAs): SchemaElement[] {
  const { name, type, nullable = false, width } = column;
  if (width === undefined) return [leaf(name, type, nullable)];
  if (listsAs === 'columns') return numberNames(column).map((one) => leaf(one, type, false));
  return [
    {
      name,
      repetition_type: 'REQUIRED',
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    leaf('element', type, false),
  ];
}

/** Statistics of single numbers of features serve nobody, and a dictionary of them is never smaller. */
const FEATURES = { encoding: 'PLAIN', statistics: false, offsetIndex: false } as const;

function sourcesOf(column: TableColumn, values: ColumnValues, rows: number, listsAs: ListsAs): ColumnSource[] {
  const { name, width } = column;
  if (width === undefined) return [{ name, data: values as ColumnSource['data'] }];
  const numbers = values as Float32Array;
  if (listsAs === 'columns')
    return numberNames(column).map((one, at) => {
      const data = new Float32Array(rows);
      for (let i = 0; i < rows; i++) data[i] = numbers[i * width + at]!;
      return { name: one, data, ...FEATURES };
    });
  const data = Array.from({ length: rows }, (_, i) => Array.from(numbers.subarray(i * width, (i + 1) * width)));
  return [{ name, data, ...FEATURES }];
}

/**
 * A table as a Parquet file: what it is given at once becomes a row group, which is all that is held in memory. Throws
 * PACKAGE_MISSING.
 */
export async function* parquetBytes(
  { columns, rows }: Table,
  { listsAs = 'lists', metadata = new Map() }: ParquetRequest = {},
): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await parquetWriter();
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: [
      {
        name: 'schema',
        num_children: columns.reduce((sum, { width }) => sum + (listsAs === 'columns' ? (width ?? 1) : 1), 0),
      },
      ...columns.flatMap((column) => elementsOf(column, listsAs)),
    ],
    kvMetadata: Array.from(metadata, ([key, value]) => ({ key, value })),
    createdBy: 'permafrost',
  });
  /** What was written since the last time: the buffer is used again. */
  const taken = (): Uint8Array => {
    const made = bytes.getBytes().slice();
    bytes.index = 0;
    return made;
  };
  const columnsOf = ({ rows: count, values }: TableRows): ColumnSource[] =>
    columns.flatMap((column, c) => sourcesOf(column, values[c]!, count, listsAs));
  for await (const some of rows) {
    if (some.rows === 0) continue;
    await writer.write({ columnData: columnsOf(some), rowGroupSize: some.rows });
    yield taken();
  }
  await writer.finish();
  yield taken();
}
