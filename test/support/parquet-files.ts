import { parquetWriteBuffer } from 'hyparquet-writer';

/** A row of a Parquet file that a test writes. */
export interface ParquetRow {
  /** Null for a row without bytes. */
  readonly bytes: Uint8Array | string | null;
  /** What is kept beside the bytes. */
  readonly path?: string;
  readonly label?: number | string | null;
  readonly split?: string;
}

export interface ParquetOptions {
  /** Names of classes, in the metadata as `datasets` of Hugging Face writes them. */
  readonly classes?: readonly string[];
  /** Rows of a group; default 2. */
  readonly groupRows?: number;
  /** The name of the column of classes; default label. */
  readonly labelColumn?: string;
}

/** A Parquet file as `datasets` writes one of images: a struct of bytes and path, and a column of classes. */
export function parquetOf(
  rows: readonly ParquetRow[],
  { classes, groupRows = 2, labelColumn = 'label' }: ParquetOptions = {},
): Buffer {
  const isText = rows.some(({ label }) => typeof label === 'string');
  const hasSplit = rows.some(({ split }) => split !== undefined);
  const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const;
  const label = isText ? text : ({ type: 'INT64', repetition_type: 'OPTIONAL' } as const);
  const features = {
    image: { _type: 'Image' },
    ...(classes && { [labelColumn]: { _type: 'ClassLabel', names: classes } }),
  };
  const written = parquetWriteBuffer({
    columnData: [
      {
        name: 'image',
        data: rows.map(({ bytes, path = null }) => ({
          bytes: bytes === null ? null : Buffer.from(bytes as string),
          path,
        })),
      },
      {
        name: labelColumn,
        data: rows.map(({ label: value = null }) => (typeof value === 'number' ? BigInt(value) : value)),
      },
      ...(hasSplit ? [{ name: 'split', data: rows.map(({ split }) => split ?? null) }] : []),
    ],
    schema: [
      { name: 'root', num_children: hasSplit ? 3 : 2 },
      { name: 'image', num_children: 2, repetition_type: 'OPTIONAL' },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      { name: 'path', ...text },
      { name: labelColumn, ...label },
      ...(hasSplit ? [{ name: 'split', ...text }] : []),
    ],
    rowGroupSize: groupRows,
    kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
  });
  return Buffer.from(written);
}
