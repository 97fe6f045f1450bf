import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';

/** A pipe would wait for a writer when it is opened, and a device may have no end. */
const NO_FILE = 'it is a folder, a pipe, a socket or a device, no file';
/** Most that one call of the system reads. */
const MOST_AT_ONCE = 2 ** 30;
/** Most bytes of a text: what one string holds. */
export const MOST_TEXT_BYTES = 2 ** 29 - 24;

/** Opens a regular file for reading; what became a pipe since it was looked at does not wait. Throws as readWhole. */
export async function openRegular(path: string): Promise<FileHandle> {
  if (!(await stat(path)).isFile()) throw new Error(NO_FILE);
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await handle.stat()).isFile()) throw new Error(NO_FILE);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The first `length` bytes of an open file, fewer where it ends before. Never asks for what lies behind: files of the
 * system that say that they are empty (/proc/kmsg) would wait there without end.
 */
export async function readBytes(handle: FileHandle, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, Math.min(length - filled, MOST_AT_ONCE), filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * A whole regular file of at most `mostBytes` (default 2 GiB), for files that a person names: reading it ends. Throws
 * the system's error, and an Error whose message goes on after "cannot be read: ".
 */
export async function readWhole(path: string, mostBytes: number = 2 ** 31 - 1): Promise<Buffer> {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    if (size > mostBytes) throw new Error(`it has ${size} bytes, above the ${mostBytes} that are read`);
    return await readBytes(handle, size);
  } finally {
    await handle.close();
  }
}

/** The same of a text in UTF-8. */
export const readText = async (path: string): Promise<string> =>
  (await readWhole(path, MOST_TEXT_BYTES)).toString('utf8');
