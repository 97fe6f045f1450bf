import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';

/** Says what a folder is, beside the file of the model. */
export const MODEL_JSON = 'model.json';
export const WEB_FORMAT = 'permafrost-web';

async function isExport(folder: string): Promise<boolean> {
  try {
    const { format } = JSON.parse(await readFile(join(folder, MODEL_JSON), 'utf8')) as { format?: unknown };
    return format === WEB_FORMAT;
  } catch {
    return false; // no file, or no JSON: it is no export
  }
}

/**
 * That `folder` may be replaced: it is not there, is empty, or holds an exported page. Throws STORE_WRITE for all else.
 */
export async function requireOwnFolder(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new PermafrostError('STORE_WRITE', `${folder} cannot be used as a folder for the page: ${reasonOf(cause)}.`, {
      cause,
    });
  }
  if (names.length === 0 || (await isExport(folder))) return;
  throw new PermafrostError(
    'STORE_WRITE',
    `${folder} holds ${names.length === 1 ? 'something' : `${names.length} things`} that no export wrote (${names[0]}), and would be replaced. Name a new folder, or an empty one.`,
  );
}
