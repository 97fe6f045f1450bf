import { createReadStream } from 'node:fs';
import { open, stat, truncate, type FileHandle } from 'node:fs/promises';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { requireFolderOf } from '../../../store/format/atomic-file.ts';

/** A row that is in a file already. */
export interface KnownRow {
  readonly path: string;
  readonly answeredBy: string;
}

/** How rows stand in a file. */
export interface RowFormat {
  /** What stands before the rows; '' where nothing does. */
  readonly header: string;
  /** Whether a line break between quotes ends no row. */
  readonly hasQuotes: boolean;
  /** The rows in the first `bytes` of a file, which end with a whole one. Throws a plain Error where they are none. */
  read(file: string, bytes: number): AsyncIterable<KnownRow>;
}

/** A file of rows that grows, and goes on where it ended. */
export interface RowsFile {
  /** Images that had a row when it was opened. */
  readonly known: ReadonlySet<string>;
  /** Adds whole rows. Throws STORE_WRITE. */
  append(rows: string): Promise<void>;
  close(): Promise<void>;
}

const [QUOTE, LINE] = [0x22, 0x0a] as const;

/** Bytes of a file up to the end of its last whole row. */
async function wholeBytes(file: string, hasQuotes: boolean): Promise<number> {
  let [at, end, isQuoted] = [0, 0, false];
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
    for (const byte of chunk as Buffer) {
      at++;
      if (byte === QUOTE && hasQuotes) isQuoted = !isQuoted;
      else if (byte === LINE && !isQuoted) end = at;
    }
  }
  return end;
}

const refused = (file: string, why: string): PermafrostError =>
  new PermafrostError(
    'OPTION_INVALID',
    `${file} is there already, and ${why}. Nothing is overwritten: name another file, or take it away.`,
  );

/** What is in a file, all of it having been made by this head. */
async function knownRows(file: string, bytes: number, format: RowFormat, answeredBy: string) {
  const known = new Set<string>();
  try {
    for await (const row of format.read(file, bytes)) {
      if (row.answeredBy !== answeredBy)
        throw refused(
          file,
          `its rows are answers of another head, of another engine, or to another --min-probability or --escape-formulas (${row.answeredBy}, here ${answeredBy})`,
        );
      known.add(row.path);
    }
  } catch (error) {
    if (error instanceof PermafrostError) throw error;
    throw refused(file, `it holds something else than such answers (${reasonOf(error)})`);
  }
  return known;
}

async function tornAt(file: string, { hasQuotes, header }: RowFormat): Promise<number> {
  const bytes = await wholeBytes(file, hasQuotes);
  if (bytes > 0) return bytes;
  // Of a run that ended while it wrote the first line; anything else is not ours.
  const handle = await open(file, 'r');
  try {
    const text = await handle.readFile('utf8');
    if (header.startsWith(text) || (header === '' && text.startsWith('{'))) return 0;
  } finally {
    await handle.close();
  }
  throw refused(file, 'it holds something else than such answers');
}

/**
 * Opens a file for rows, or makes it. Rows that are there stay, but for a last one that is not whole. Throws
 * OPTION_INVALID for a file of other content, or of another head's answers; STORE_WRITE.
 */
export async function openRowsFile(file: string, format: RowFormat, answeredBy: string): Promise<RowsFile> {
  requireFolderOf(file);
  const before = await stat(file).catch(() => undefined); // told where it is opened
  if (before?.isFile() === false) throw refused(file, 'it is no file');
  const bytes = before === undefined ? 0 : await tornAt(file, format);
  const known = await knownRows(file, bytes, format, answeredBy);
  let handle: FileHandle;
  const write = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (cause) {
      throw new PermafrostError(
        'STORE_WRITE',
        `${file} could not be written: ${reasonOf(cause)}. The rows before are whole; make room or give permission, then run the same command again.`,
        { cause },
      );
    }
  };
  await write(async () => {
    if (before !== undefined && before.size > bytes) await truncate(file, bytes);
    handle = await open(file, 'a');
    if (bytes === 0) await handle.appendFile(format.header);
  });
  return {
    known,
    append: (rows) => write(() => handle.appendFile(rows)),
    close: () =>
      write(async () => {
        await handle.sync();
        await handle.close();
      }),
  };
}
