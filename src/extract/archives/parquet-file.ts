import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { sizeOf, type ByteFile } from './byte-file.ts';
import { columnPart, MOST_GROUP_BYTES } from './parquet-column.ts';
import { featuresIn, imageColumns, type ImageColumns, type ParquetField } from './parquet-fields.ts';
import type { FileMetaData } from './parquet-package.ts';
import { corruptParquet, orCorrupt, readImages, readMetadata, readValues, type ReadLimits } from './read-parquet.ts';

/** A row group: rows whose columns are read at once. */
export interface RowGroup {
  /** Its place among the groups of the file. */
  readonly number: number;
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
  return groups.map(({ num_rows: rows, columns }, number) => {
    const bytes = columns
      .filter(({ meta_data: facts }) => facts?.path_in_schema[0] === image)
      .reduce((sum, { meta_data: facts }) => sum + Number(facts!.total_uncompressed_size), 0);
    const end = start + Number(rows);
    const group = { number, start, end, bytes };
    start = end;
    return group;
  });
}

/** The rows of a file by its groups. Throws ARCHIVE_CORRUPT where its metadata contradict themselves. */
function checkedGroups(file: ByteFile, metadata: FileMetaData, image: string): RowGroup[] {
  const groups = groupsOf(metadata, image);
  const rows = groups.at(-1)?.end ?? 0;
  if (Number(metadata.num_rows) !== rows || !groups.every(({ start, end }) => start <= end))
    throw corruptParquet(file.name, `it says that it has ${metadata.num_rows} rows, and its groups have ${rows}`);
  // Nobody keeps an image in less than a byte; a number that is wrong would be counted to.
  if (rows > sizeOf(file)) throw corruptParquet(file.name, `it says that it has ${rows} rows in ${sizeOf(file)} bytes`);
  return groups;
}

/** The columns that hold images and classes. Throws DATASET_LAYOUT. */
function columnsOf({ name }: ByteFile, metadata: FileMetaData, fields: readonly ParquetField[]): ImageColumns {
  const huggingface = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  try {
    return imageColumns(fields, featuresIn(huggingface));
  } catch (cause) {
    throw new PermafrostError('DATASET_LAYOUT', `${name} ${reasonOf(cause)}.`, { cause });
  }
}

/** Opens a Parquet file. Throws ARCHIVE_CORRUPT, PACKAGE_MISSING, and DATASET_LAYOUT where no column holds images. */
export async function openParquet(file: ByteFile, limits?: ReadLimits): Promise<ParquetImages> {
  const metadata = await readMetadata(file, limits);
  return orCorrupt(file, () => {
    const fields = fieldsOf(metadata.schema);
    const columns = columnsOf(file, metadata, fields);
    const groups = checkedGroups(file, metadata, columns.image);
    const large = groups.find(({ bytes }) => bytes > MOST_GROUP_BYTES);
    if (large !== undefined)
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${file.name} has ${large.end - large.start} rows in one group, whose images have ${large.bytes} bytes: all of them must be in memory to read one, and more than ${MOST_GROUP_BYTES} are not read. Write it anew in groups of 100 rows (row_group_size in pyarrow, batch_size in datasets).`,
      );
    return { metadata, rows: Number(metadata.num_rows), columnNames: fields.map(({ name }) => name), columns, groups };
  });
}

function labelOf(value: unknown): string | number | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'bigint' ? Number(value) : (value as string | number);
}

/** Label, split and name of all rows; no bytes of images are read. Throws ARCHIVE_CORRUPT, PACKAGE_MISSING. */
export async function rowFacts(file: ByteFile, parquet: ParquetImages, limits?: ReadLimits): Promise<RowFacts[]> {
  const { metadata, columns, groups } = parquet;
  const { image, hasPath, label, split } = columns;
  const found: RowFacts[] = [];
  for (const { number, start, end } of groups) {
    const column = async (...path: (string | undefined)[]): Promise<readonly unknown[]> =>
      path.includes(undefined) || end === start
        ? []
        : readValues(file, columnPart(file, metadata, number, path as string[]), limits);
    const labels = await column(label);
    const splits = await column(split);
    const names = hasPath ? await column(image, 'path') : [];
    for (let i = 0; i < end - start; i++)
      found.push({
        label: labelOf(labels[i]),
        split: (splits[i] as string | null | undefined) ?? undefined,
        name: (names[i] as string | null | undefined) ?? undefined,
      });
  }
  return found;
}

/** The bytes of the images of a row group; undefined where a row has none. Throws ARCHIVE_CORRUPT, PACKAGE_MISSING. */
export async function imagesInGroup(
  file: ByteFile,
  { metadata, columns: { image, isStruct } }: ParquetImages,
  { number }: RowGroup,
  limits?: ReadLimits,
): Promise<(Uint8Array | undefined)[]> {
  return readImages(file, columnPart(file, metadata, number, isStruct ? [image, 'bytes'] : [image]), limits);
}
