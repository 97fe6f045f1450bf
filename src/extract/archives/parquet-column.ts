import { sizeOf, type ByteFile } from './byte-file.ts';
import type { FileMetaData } from './parquet-package.ts';
import { corruptParquet, orCorrupt, type ColumnPart } from './read-parquet.ts';

type Element = FileMetaData['schema'][number];

/** Most bytes of a column in one row group, packed or not: to read one value, all are brought into memory. */
export const MOST_GROUP_BYTES = 2 ** 30;

/** The place behind an element of a schema, which lists its columns depth first, and behind all below it. */
function behind(schema: readonly Element[], at: number): number {
  let next = at + 1;
  for (let i = 0; i < (schema[at]!.num_children ?? 0); i++) next = behind(schema, next);
  return next;
}

/** The child of an element by its name. */
function childAt(schema: readonly Element[], parent: number, name: string): number {
  let at = parent + 1;
  for (let i = 0; i < (schema[parent]!.num_children ?? 0); i++, at = behind(schema, at))
    if (schema[at]!.name === name) return at;
  throw new Error(`its schema has no column ${name}`);
}

/** The schema with one column alone: the elements that lead to it. */
function schemaOf({ schema }: FileMetaData, path: readonly string[]): Element[] {
  let at = 0;
  const places = [0, ...path.map((name) => (at = childAt(schema, at, name)))];
  return places.map((place, depth) => ({ ...schema[place]!, ...(depth < path.length && { num_children: 1 }) }));
}

/**
 * One column of the row group `number`, and the metadata of that alone: columns are read one by one, as of two that are
 * damaged hyparquet would leave an error without anyone who hears of it. Throws ARCHIVE_CORRUPT.
 */
export const columnPart = (
  file: ByteFile,
  metadata: FileMetaData,
  number: number,
  path: readonly string[],
): ColumnPart => orCorrupt(file, () => partOf(file, metadata, number, path));

function partOf(file: ByteFile, metadata: FileMetaData, number: number, path: readonly string[]): ColumnPart {
  const column = path.join('.');
  const group = metadata.row_groups[number]!;
  const [chunk, other] = group.columns.filter(({ meta_data: facts }) => facts?.path_in_schema.join('.') === column);
  const facts = chunk?.meta_data;
  if (facts === undefined || other !== undefined)
    throw corruptParquet(
      file.name,
      `row group ${number} has ${other === undefined ? 'no' : 'several'} parts of the column ${column}`,
    );
  const offset = Number(facts.dictionary_page_offset || facts.data_page_offset);
  const [length, unpackedBytes] = [Number(facts.total_compressed_size), Number(facts.total_uncompressed_size)];
  const isInside = offset >= 0 && length >= 0 && offset + length <= sizeOf(file);
  if (!isInside || length > MOST_GROUP_BYTES || unpackedBytes < 0 || unpackedBytes > MOST_GROUP_BYTES)
    throw corruptParquet(
      file.name,
      `the column ${column} of row group ${number} is said to have ${length} bytes from ${offset} on, unpacked ${unpackedBytes}, in a file of ${sizeOf(file)} bytes`,
    );
  return {
    metadata: {
      version: metadata.version,
      schema: schemaOf(metadata, path),
      num_rows: group.num_rows,
      row_groups: [{ ...group, columns: [chunk!] }],
      metadata_length: metadata.metadata_length,
    },
    path,
    rows: Number(group.num_rows),
    offset,
    length,
    unpackedBytes,
  };
}
