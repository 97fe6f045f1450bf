import { mkdir, open, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type * as z from 'zod';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { requireHeld } from './lock/held-locks.ts';

/**
 * A file that only grows: one entry a line, as `{"entry": ..., "digest": ...}`. The digest is the first 16 hex digits
 * of the SHA-256 over the digest before and the entry: no line can change, go or come unnoticed. An entry is on the
 * disk when `append` is done.
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
  /** Bytes of the whole lines: what follows is a line that a killed process did not finish. */
  readonly bytes: number;
}

/** The entries of a journal, none without a file. Throws STORE_CORRUPT naming the line that is not what was written. */
export async function readJournal<T>(path: string, schema: z.ZodType<T>): Promise<Read<T>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { entries: [], digest: '', bytes: 0 };
    throw new PermafrostError('STORE_CORRUPT', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const entries: T[] = [];
  let digest = '';
  for (const [i, line] of whole.split('\n').slice(0, -1).entries()) {
    try {
      const { entry, digest: found } = JSON.parse(line) as { entry: unknown; digest: unknown };
      digest = digestOf(digest, entry);
      if (found !== digest) throw new Error('its digest is not that of its content and of the lines before');
      entries.push(schema.parse(entry));
    } catch (cause) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path}, line ${i + 1}, is not what was written: ${reasonOf(cause)}. Restore the file, or remove it to begin anew.`,
        { cause },
      );
    }
  }
  return { entries, digest, bytes: Buffer.byteLength(whole) };
}

/** Opens a journal to append; a line that a killed process left half is cut off. Throws STORE_CORRUPT, STORE_WRITE. */
export async function openJournal<T>(path: string, schema: z.ZodType<T>): Promise<Journal<T>> {
  const { entries, digest: last, bytes } = await readJournal(path, schema);
  let digest = last;
  let size = bytes;
  let turn: Promise<void> = Promise.resolve();
  const failed = (cause: unknown): PermafrostError =>
    new PermafrostError(
      'STORE_WRITE',
      `${path} could not be written: ${reasonOf(cause)}. Make room or give permission, then do it again.`,
      { cause },
    );
  async function write(entry: T): Promise<void> {
    await requireHeld(dirname(path));
    const next = digestOf(digest, entry);
    const line = Buffer.from(`${JSON.stringify({ entry, digest: next })}\n`);
    try {
      const handle = await open(path, 'a');
      try {
        await handle.writeFile(line);
        await handle.sync();
      } catch (error) {
        await handle.truncate(size);
        throw error;
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw failed(cause);
    }
    digest = next;
    size += line.length;
    entries.push(entry);
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, 'a')).close();
    await truncate(path, bytes);
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
