import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as z from 'zod';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { requireHeld } from './lock/held-locks.ts';
import { sealPath, writeFileSeal } from './seal-beside.ts';
import { growingDigest, isUnfinished, readLines, unfinishedInWords } from './sealed-lines.ts';
import { removeUnfinished } from './temporary-files.ts';

/**
 * A file that only grows: one entry a line, as `{"entry": ..., "digest": ...}`. The digest is the first 16 hex digits
 * of the SHA-256 over the digest before and the entry: no line can change, go or come unnoticed. Its end stands in the
 * seal beside it. An entry is on the disk, and sealed, when `append` is done.
 */
export interface Journal<T> {
  readonly entries: readonly T[];
  /** Entries come one after the other, in the order of the calls. Throws STORE_WRITE. */
  append(entry: T): Promise<void>;
}

const digestOf = (before: string, entry: unknown): string =>
  sha256Hex(`${before}\n${canonicalJson(entry)}`).slice(0, 16);

interface Read<T> {
  readonly entries: T[];
  /** Digest of the last whole line; empty before the first. */
  readonly digest: string;
  /** Bytes of the whole lines. */
  readonly bytes: number;
  /** What follows them: a line that a killed process did not finish, so that nobody was told that it is kept. */
  readonly tail: Buffer;
}

/** What each line begins with. */
const BEGINNING = '{"entry":';

/**
 * The entries of a journal, none without a file. Throws STORE_CORRUPT naming the line that is not what was written, and
 * where it ends before what its seal speaks of (seal-beside.ts).
 */
export async function readJournal<T>(path: string, schema: z.ZodType<T>): Promise<Read<T>> {
  const { lines, bytes, tail, problem } = await readLines(path).catch((cause: unknown) => {
    throw new PermafrostError('STORE_CORRUPT', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  const damaged = (where: string, reason: string, cause?: unknown): PermafrostError =>
    new PermafrostError(
      'STORE_CORRUPT',
      `${path}${where} is not what was written: ${reason}. Restore the file and its seal, or remove both to begin anew.`,
      { cause },
    );
  const entries: T[] = [];
  let digest = '';
  for (const [i, line] of lines.entries()) {
    try {
      const { entry, digest: found } = JSON.parse(line) as { entry: unknown; digest: unknown };
      digest = digestOf(digest, entry);
      if (found !== digest) throw new Error('its digest is not that of its content and of the lines before');
      if (JSON.stringify({ entry, digest }) !== line)
        throw new Error('its content is whole, but not as it was written');
      entries.push(schema.parse(entry));
    } catch (cause) {
      throw damaged(`, line ${i + 1},`, reasonOf(cause), cause);
    }
  }
  if (problem !== undefined) throw damaged('', problem);
  if (!isUnfinished(tail, BEGINNING))
    throw damaged('', `after line ${lines.length} there are ${tail.length} bytes that are no beginning of a line`);
  return { entries, digest, bytes, tail };
}

/** Where the rest of a line that was not finished is kept. */
export const cutPath = (path: string): string => `${path}.cut`;

/** Cuts off what a killed process left of a line, keeps it in a file beside the journal, and says so. */
async function cutTail(path: string, { bytes, tail }: Read<unknown>, note: (text: string) => void): Promise<void> {
  const handle = await open(cutPath(path), 'a');
  try {
    await handle.writeFile(Buffer.concat([tail, Buffer.from('\n')]));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await truncate(path, bytes);
  note(
    `${path} ended with ${unfinishedInWords({ tail })}. They are cut off and kept in ${cutPath(path)}, which nobody needs.`,
  );
}

/**
 * Opens a journal to append. A line that a killed process left half is cut off and kept beside it, and `note` hears of
 * it. Throws STORE_CORRUPT, STORE_WRITE.
 */
export async function openJournal<T>(
  path: string,
  schema: z.ZodType<T>,
  note: (text: string) => void = () => undefined,
): Promise<Journal<T>> {
  const read = await readJournal(path, schema);
  const { entries } = read;
  let { digest, bytes: size } = read;
  let turn: Promise<void> = Promise.resolve();
  const failed = (cause: unknown): PermafrostError =>
    new PermafrostError(
      'STORE_WRITE',
      `${path} could not be written: ${reasonOf(cause)}. Make room or give permission, then do it again.`,
      { cause },
    );
  let whole: ReturnType<typeof growingDigest>;
  async function write(entry: T): Promise<void> {
    await requireHeld(dirname(path));
    const next = digestOf(digest, entry);
    const line = Buffer.from(`${JSON.stringify({ entry, digest: next })}\n`);
    try {
      const handle = await open(path, 'a');
      try {
        const found = (await handle.stat()).size;
        if (found !== size)
          throw new Error(`it has ${found} bytes, and ${size} were written; something else changed it`);
        try {
          await handle.writeFile(line);
          await handle.sync();
          await writeFileSeal(path, { bytes: size + line.length, sha256: whole.with(line) });
        } catch (error) {
          await handle.truncate(size);
          throw error;
        }
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw failed(cause);
    }
    whole.add(line);
    digest = next;
    size += line.length;
    entries.push(entry);
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, 'a')).close();
    if (read.tail.length > 0) await cutTail(path, read, note);
    whole = growingDigest(await readFile(path));
    await removeUnfinished(sealPath(path));
  } catch (cause) {
    throw failed(cause);
  }
  return {
    entries,
    append(entry) {
      const mine = turn.then(() => write(entry));
      turn = mine.catch(() => undefined); // thrown to whoever appended; the next entry goes on
      return mine;
    },
  };
}

/** Entries that count: each `undo` takes back the last one that is not taken back yet. */
export function withoutUndone<T extends { readonly do: string }>(entries: readonly T[]): Exclude<T, { do: 'undo' }>[] {
  const active: T[] = [];
  for (const entry of entries) {
    if (entry.do === 'undo') active.pop();
    else active.push(entry);
  }
  return active as Exclude<T, { do: 'undo' }>[];
}
