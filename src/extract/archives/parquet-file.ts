import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { ByteFile } from './byte-file.ts';
import { featuresIn, imageColumns, type ImageColumns, type ParquetField } from './parquet-fields.ts';
import { readMetadata, readRows, type FileMetaData } from './parquet-package.ts';

/** A row group: rows whose columns are read at once. */
export interface RowGroup {
  readonly start: number;
  readonly end: number;
  /** Bytes of its images, as far as the file tells. */
  readonly bytes: number;
}

/** What is known of a Parquet file of images without its rows. */
export interface ParquetImages {
  readonly metadata: FileMetaData;
  readonly rows: number;
  readonly columnNames: readonly string[];
  readonly columns: ImageColumns;
  readonly groups: readonly RowGroup[];
}

/** What a row says beside its image. */
export interface RowFacts {
  readonly label: string | number | undefined;
  readonly split: string | undefined;
  /** The file's name that is kept beside the bytes. */
  readonly name: string | undefined;
}

/** Most bytes of images in a row group: to read one of them, all are brought into memory. */
export const MOST_GROUP_BYTES = 2 ** 30;

type Element = FileMetaData['schema'][number];

function kindOf({ type, converted_type: converted, logical_type: logical, repetition_type: repetition }: Element) {
  if (repetition === 'REPEATED') return 'other';
  if (type === 'BYTE_ARRAY')
    return converted === 'UTF8' || logical?.type === 'STRING' ? 'text' : converted || logical ? 'other' : 'bytes';
  return (type === 'INT32' || type === 'INT64') &&
    !['DATE', 'TIMESTAMP', 'TIME', 'DECIMAL'].includes(logical?.type ?? '')
    ? 'number'
    : 'other';
}

/** The columns that a schema lists, depth first. */
function fieldsOf(schema: readonly Element[]): ParquetField[] {
  let at = 0;
  function take(): ParquetField {
    const element = schema[at++]!;
    const count = element.num_children ?? 0;
    if (count === 0) return { name: element.name, kind: kindOf(element), fields: [] };
    const fields = Array.from({ length: count }, take);
    // Lists and maps are groups too.
    const isStruct = element.converted_type === undefined && element.logical_type === undefined;
    return { name: element.name, kind: isStruct ? 'struct' : 'other', fields };
  }
  return schema.length === 0 ? [] : [...take().fields];
}

function groupsOf({ row_groups: groups }: FileMetaData, image: string): RowGroup[] {
  let start = 0;
  return groups.map(({ num_rows: rows, columns }) => {
    const bytes = columns
      .filter(({ meta_data: facts }) => facts?.path_in_schema[0] === image)
      .reduce((sum, { meta_data: facts }) => sum + Number(facts!.total_uncompressed_size), 0);
    const end = start + Number(rows);
    const group = { start, end, bytes };
    start = end;
    return group;
  });
}

/** Opens a Parquet file. Throws ARCHIVE_CORRUPT, PACKAGE_MISSING, and DATASET_LAYOUT where no column holds images. */
export async function openParquet(file: ByteFile): Promise<ParquetImages> {
  const metadata = await readMetadata(file);
  const fields = fieldsOf(metadata.schema);
  const huggingface = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  let columns: ImageColumns;
  try {
    columns = imageColumns(fields, featuresIn(huggingface));
  } catch (cause) {
    throw new PermafrostError('DATASET_LAYOUT', `${file.name} ${reasonOf(cause)}.`, { cause });
  }
  const groups = groupsOf(metadata, columns.image);
  const large = groups.find(({ bytes }) => bytes > MOST_GROUP_BYTES);
  if (large !== undefined)
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${file.name} has ${large.end - large.start} rows in one group, whose images have ${large.bytes} bytes: all of them must be in memory to read one, and more than ${MOST_GROUP_BYTES} are not read. Write it anew in groups of 100 rows (row_group_size in pyarrow, batch_size in datasets).`,
    );
  return { metadata, rows: Number(metadata.num_rows), columnNames: fields.map(({ name }) => name), columns, groups };
}

/** The file without the bytes of its images, so that their names alone are read. */
function withoutBytes(metadata: FileMetaData, image: string): FileMetaData {
  const at = metadata.schema.findIndex(({ name, num_children: count }) => name === image && (count ?? 0) > 0);
  const children = metadata.schema[at]!.num_children!;
  const bytes = metadata.schema.findIndex(({ name }, i) => i > at && i <= at + children && name === 'bytes');
  return {
    ...metadata,
    schema: metadata.schema
      .map((element, i) => (i === at ? { ...element, num_children: children - 1 } : element))
      .filter((_, i) => i !== bytes),
    row_groups: metadata.row_groups.map((group) => ({
      ...group,
      columns: group.columns.filter(({ meta_data: facts }) => facts?.path_in_schema.join('\n') !== `${image}\nbytes`),
    })),
  };
}

function labelOf(value: unknown): string | number | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'bigint' ? Number(value) : (value as string | number);
}

/** Label, split and name of all rows; no bytes of images are read. */
export async function rowFacts(file: ByteFile, parquet: ParquetImages): Promise<RowFacts[]> {
  const { metadata, columns, groups } = parquet;
  const { image, hasPath, label, split } = columns;
  const wanted = [label, split].flatMap((name) => name ?? []);
  const named = hasPath ? withoutBytes(metadata, image) : undefined;
  const found: RowFacts[] = [];
  for (const range of groups) {
    const facts = wanted.length > 0 ? await readRows(file, metadata, { ...range, columns: wanted }) : undefined;
    const names = named && (await readRows(file, named, { ...range, columns: [image] }));
    for (let i = 0; i < range.end - range.start; i++) {
      const row = facts?.[i] ?? {};
      const inner = names?.[i]?.[image] as { path?: string | null } | null | undefined;
      found.push({
        label: label === undefined ? undefined : labelOf(row[label]),
        split: split === undefined ? undefined : ((row[split] as string | null) ?? undefined),
        name: inner?.path ?? undefined,
      });
    }
  }
  return found;
}

/** The bytes of the images of a row group; undefined where a row has none. */
export async function imagesInGroup(
  file: ByteFile,
  { metadata, columns: { image, isStruct } }: ParquetImages,
  group: RowGroup,
): Promise<(Uint8Array | undefined)[]> {
  const rows = await readRows(file, metadata, { ...group, columns: [image] });
  return rows.map((row) => {
    const value = row[image] as Uint8Array | { readonly bytes?: Uint8Array | null } | null | undefined;
    const bytes = isStruct ? (value as { readonly bytes?: Uint8Array | null } | null)?.bytes : value;
    return (bytes as Uint8Array | null | undefined) ?? undefined;
  });
}
