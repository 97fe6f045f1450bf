import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '../errors.ts';

/** Whether an error is the file system's. */
const isOfFiles = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;

/**
 * What `take` makes of a JSON file of the cache folder; undefined where there is no file that can be read, or where its
 * text or its fields are not as they were written (`take` throws a TypeError, or gives undefined).
 */
export async function readKept<T>(file: string, take: (json: unknown) => T | undefined): Promise<T | undefined> {
  try {
    return take(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (isOfFiles(error) || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Keeps a value as JSON in the cache folder for later, at once; gives the reason where that fails. */
export async function keep(file: string, value: unknown): Promise<string | undefined> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`);
    await rename(temporary, file);
    return undefined;
  } catch (error) {
    if (!isOfFiles(error)) throw error;
    await rm(temporary, { force: true }).catch(() => undefined);
    return reasonOf(error);
  }
}
