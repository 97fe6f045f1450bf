import { extname } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Parcel } from '../isolated/parcels.ts';
import { processPool, type TaskLimits } from '../isolated/process-pool.ts';
import { sizeOf, type ByteFile } from './byte-file.ts';
import type { ColumnPlace, FileMetaData } from './parquet-package.ts';
import type { ParquetAnswer, ParquetTask } from './parquet-task.ts';

/** Milliseconds that a part may take to be read, on a busy machine; and the slowest reading that is waited for. */
const BASE_MS = 30_000;
const BYTES_PER_MS = 10_000;
/** Memory of a process beside what it reads, in bytes; and how often it holds that: packed, unpacked, to be sent. */
const BASE_BYTES = 2 ** 30;
const COPIES = 3;
/** A byte of metadata becomes so many: numbers of one byte are objects. */
const BYTES_PER_FOOTER_BYTE = 100;

/** How long and how large the reading of a part may become; default by its size. */
export type ReadLimits = Partial<Pick<TaskLimits, 'mostMs' | 'mostBytes'>>;

/** The error of a file that cannot be read, for the reason `what`. */
export const corruptParquet = (name: string, what: string, cause?: unknown): PermafrostError =>
  new PermafrostError(
    'ARCHIVE_CORRUPT',
    `${name} cannot be read as Parquet: ${what}. Get it again, or write it anew.`,
    { cause },
  );

/** What a damaged file says is of other types than it should be: an error on the way is its own. */
export function orCorrupt<T>({ name }: ByteFile, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof PermafrostError ? cause : corruptParquet(name, reasonOf(cause), cause);
  }
}

const inProcess = processPool<ParquetTask, ParquetAnswer>({
  entry: new URL(`./parquet-process${extname(import.meta.url)}`, import.meta.url),
  ended: (how, { name }, { mostBytes }) =>
    corruptParquet(
      name,
      how === 'SIGKILL'
        ? `its reader takes more than ${(mostBytes / 2 ** 30).toFixed(1)} GiB of memory and was ended: a length in the file may be wrong`
        : `its reader ended with ${how} before it answered`,
    ),
  late: ({ name }, { mostMs }) =>
    corruptParquet(
      name,
      `its reader had not ended after ${(mostMs / 1000).toFixed(0)} s and was stopped: damaged pages can keep it busy without end`,
    ),
  interrupted: () => new PermafrostError('INTERRUPTED', 'Interrupted while a Parquet file was read.'),
});

/** What a process makes of a task. Throws ARCHIVE_CORRUPT, PACKAGE_MISSING. */
async function answerOf<K extends Exclude<ParquetAnswer['kind'], 'failure'>>(
  task: Extract<ParquetTask, { kind: K }>,
  given: Uint8Array,
  limits: TaskLimits,
): Promise<Parcel<Extract<ParquetAnswer, { kind: K }>>> {
  const { content: answer, bytes } = await inProcess(task, given, limits);
  if (answer.kind !== 'failure') return { content: answer as Extract<ParquetAnswer, { kind: K }>, bytes };
  if (answer.code === 'PACKAGE_MISSING') throw new PermafrostError(answer.code, answer.message);
  throw corruptParquet(task.name, answer.message);
}

/** Bytes at the end of a file that are read first: mostly all of the metadata. */
const FOOTER_BYTES = 2 ** 19;
/** The metadata's length and "PAR1". */
const TAIL_BYTES = 8;

/** The end of a file, with its metadata whole as far as its length is right. */
async function footerOf(file: ByteFile): Promise<Uint8Array> {
  const size = sizeOf(file);
  const from = Math.max(0, size - FOOTER_BYTES);
  const end = await file.read(from, size - from);
  if (end.length < TAIL_BYTES) return end;
  const wanted = end.readUInt32LE(end.length - TAIL_BYTES) + TAIL_BYTES;
  if (wanted <= end.length || wanted > size) return end;
  return Buffer.concat([await file.read(size - wanted, wanted - end.length), end]);
}

/**
 * What stands at the end of a Parquet file: its columns, and where their parts lie. It is read in a process of its own:
 * one changed byte can keep hyparquet busy without end. Throws ARCHIVE_CORRUPT, PACKAGE_MISSING.
 */
export async function readMetadata(file: ByteFile, limits?: ReadLimits): Promise<FileMetaData> {
  const footer = await footerOf(file);
  const { content } = await answerOf({ kind: 'metadata', name: file.name }, footer, {
    mostMs: BASE_MS + footer.length / BYTES_PER_MS,
    mostBytes: BASE_BYTES + footer.length * BYTES_PER_FOOTER_BYTE,
    ...limits,
  });
  return content.metadata;
}

/** One column of one row group: where its bytes lie in the file, and what of the metadata is of it. */
export interface ColumnPart extends ColumnPlace {
  /** Bytes in the file. */
  readonly length: number;
  /** Bytes when it is unpacked, as the file says. */
  readonly unpackedBytes: number;
}

/** A column as it is read in a process of its own. */
async function partOf<K extends 'values' | 'images'>(kind: K, file: ByteFile, part: ColumnPart, limits?: ReadLimits) {
  const { length, unpackedBytes, ...place } = part;
  const bytes = await file.read(place.offset, length);
  const size = length + unpackedBytes;
  const task = { kind, name: file.name, ...place };
  return answerOf<K>(task as unknown as Extract<ParquetTask, { kind: K }>, bytes, {
    mostMs: BASE_MS + size / BYTES_PER_MS,
    mostBytes: BASE_BYTES + size * COPIES,
    ...limits,
  });
}

/** The values of a column of names or numbers, shape (rows). Throws ARCHIVE_CORRUPT, PACKAGE_MISSING. */
export const readValues = async (file: ByteFile, part: ColumnPart, limits?: ReadLimits): Promise<readonly unknown[]> =>
  (await partOf('values', file, part, limits)).content.values;

/** The values of a column of bytes, shape (rows); undefined where a row has none. Throws as readValues. */
export async function readImages(
  file: ByteFile,
  part: ColumnPart,
  limits?: ReadLimits,
): Promise<(Uint8Array | undefined)[]> {
  const { content, bytes } = await partOf('images', file, part, limits);
  let at = 0;
  return Array.from(content.lengths, (length) => (length < 0 ? undefined : bytes.subarray(at, (at += length))));
}
