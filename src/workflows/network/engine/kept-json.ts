import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { writeFileAtomic } from '../../../store/format/atomic-file.ts';

/**
 * What `take` makes of a JSON file of the cache folder; undefined where there is no file that can be read, or where its
 * text or its fields are not as they were written (`take` throws a TypeError, or gives undefined).
 */
export async function readKept<T>(file: string, take: (json: unknown) => T | undefined): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
  try {
    return take(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Keeps a value as JSON for later; gives the reason where that fails. */
export async function keep(file: string, value: unknown): Promise<string | undefined> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFileAtomic(file, [new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)]);
    return undefined;
  } catch (error) {
    const isOfFiles = error instanceof Error && ('syscall' in error || error instanceof PermafrostError);
    if (!isOfFiles) throw error;
    return reasonOf(error);
  }
}
