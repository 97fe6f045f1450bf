import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { FileFacts } from '../../core/files/file-facts.ts';
import { requireHeld } from './lock/held-locks.ts';
import { isTemporary, removeUnfinished, withTemporary } from './temporary-files.ts';

/** Makes a folder's entries durable (a rename is safe only then). Windows cannot sync folders and does not need it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** For what is written after long work: throws STORE_WRITE at once where the folder of `path` does not exist. */
export function requireFolderOf(path: string, cause?: unknown): void {
  const folder = dirname(resolve(path));
  if (existsSync(folder)) return;
  throw new PermafrostError(
    'STORE_WRITE',
    `${path} cannot be written: the folder ${folder} does not exist. Make it, or name a file in a folder that does.`,
    { cause },
  );
}

/** Closes and removes what is not whole; says, for a message, where even that fails (a disk that went read-only). */
async function discard(temporary: string, handle: FileHandle | undefined): Promise<string> {
  try {
    await handle?.close();
    await rm(temporary, { force: true });
    return '';
  } catch (error) {
    return ` ${temporary} is left over: ${reasonOf(error)}.`;
  }
}

/**
 * Writes a file whole or not at all (temporary name, sync, rename, sync of the folder). Throws STORE_WRITE (disk full,
 * no permission), and STORE_LOCKED where this process has lost the lock that it took on the folder; what stood there
 * before stays then. `onWhole` is called when the bytes are on the disk, before they get the name.
 */
export function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  onWhole: (facts: FileFacts) => Promise<void> = () => Promise.resolve(),
): Promise<FileFacts> {
  return withTemporary(path, (temporary) => writeThrough(temporary, path, chunks, onWhole));
}

/** As writeFileAtomic, and removes what killed processes left of writing it: for what is in no store's own care. */
export async function writeOutput(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<FileFacts> {
  await removeUnfinished(path);
  return writeFileAtomic(path, chunks);
}

/**
 * Gives a file its name. Where this process stood still until another took its lock over, that one has removed the
 * file: throws STORE_LOCKED then.
 */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') await requireHeld(dirname(path));
    throw error;
  }
}

async function writeThrough(
  temporary: string,
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  onWhole: (facts: FileFacts) => Promise<void>,
): Promise<FileFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  let handle: FileHandle | undefined;
  let facts: FileFacts;
  try {
    handle = await open(temporary, 'wx');
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      // writeFile on a handle writes from its position and never short.
      await handle.writeFile(chunk);
    }
    await handle.sync();
    await handle.close();
    handle = undefined;
    facts = { bytes, sha256: hash.digest('hex') };
    await onWhole(facts);
    await requireHeld(dirname(path));
    await publish(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    const left = await discard(temporary, handle);
    if (cause instanceof PermafrostError) throw cause;
    requireFolderOf(path, cause);
    throw new PermafrostError(
      'STORE_WRITE',
      `${path} could not be written: ${reasonOf(cause)}. What was sealed before is safe; make room or give permission, then run the same command again.${left}`,
      { cause },
    );
  }
  return facts;
}

/**
 * Removes a file of the store that nothing names any more, an empty folder in its place, or a folder that was not
 * whole. Throws STORE_WRITE, and STORE_LOCKED where this process has lost the lock that it took on the folder: the next
 * one may have given the name to another file.
 */
export async function removeFile(path: string): Promise<void> {
  await requireHeld(dirname(path));
  const removal = rm(path, { force: true, recursive: isTemporary(path) }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_FS_EISDIR') throw error;
    return rmdir(path);
  });
  await removed(path, removal);
}

/** Removes a folder with all that is in it. Throws STORE_WRITE. */
export const removeFolder = (path: string): Promise<void> => removed(path, rm(path, { force: true, recursive: true }));

const removed = (path: string, removal: Promise<void>): Promise<void> =>
  removal.catch((cause: unknown) => {
    throw new PermafrostError(
      'STORE_WRITE',
      `${path} is left over and cannot be removed: ${reasonOf(cause)}. Give permission, or move away a folder that is there, then run the same command again.`,
      { cause },
    );
  });
