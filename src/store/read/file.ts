import { createHash } from 'node:crypto';
import { closeSync, fstat, open as openFd, read } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { stampText } from '../../core/files/file-stamp.ts';
import type { FileEntry } from '../format/manifest.ts';
import { isStillNamed, storeChanged } from './changed.ts';

/** One buffer that files are read into one after the other: what was read is valid until the next file is. */
export interface FileBuffer {
  bytes: Buffer;
  /** Name and stamp of the file in it. */
  holds: string;
}

/** A buffer that grows to the largest of the files that are read into it. */
export const fileBuffer = (): FileBuffer => ({ bytes: Buffer.alloc(0), holds: '' });

export interface StoreFiles {
  readonly path: string;
  /** A file, verified: into `buffer` where given, unless it is still there. Throws STORE_CORRUPT and STORE_CHANGED. */
  read(entry: FileEntry, buffer?: FileBuffer): Promise<Buffer>;
  /** Does something with a file that is opened for it. Throws as `read`, where the file cannot be opened. */
  opened<T>(entry: FileEntry, work: (handle: FileHandle) => Promise<T>): Promise<T>;
  /** Keeps a file open, so that `read` reads it when a writer has removed it. Throws as `read`. */
  hold(entry: FileEntry): Promise<void>;
}

/** Closes the files that a store held open once nobody can read from it any more. */
const closing = new FinalizationRegistry<number>((fd) => closeSync(fd));

/** A file that is replaced by the same one again while it is looked for may be missed so often. */
const TRIES = 3;

/**
 * The files of a store as readers take them, who hold no lock. SHA-256 is checked on first reading, and again when
 * size, times or inode have changed. What cannot be read is STORE_CORRUPT where the store still names it; else a writer
 * has removed it, and it is STORE_CHANGED.
 */
export function storeFiles(store: string): StoreFiles {
  const verified = new Map<string, string>();
  const held = new Map<string, number>();
  async function whileNamed<T>(entry: FileEntry, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (!(await isStillNamed(store, entry)))
          throw storeChanged(store, `${entry.name} is not its file any more`, error);
        if (tries === TRIES) throw error;
      }
    }
  }
  return {
    path: store,
    read: (entry, buffer = fileBuffer()) => whileNamed(entry, () => readFrom(store, entry, { verified, held }, buffer)),
    async opened(entry, work) {
      const handle = await whileNamed(entry, () => openFrom(store, entry));
      try {
        return await work(handle);
      } finally {
        await handle.close();
      }
    },
    async hold(entry) {
      const path = join(store, entry.name);
      // A number and no FileHandle, of which Node complains when it is closed with what holds it.
      const fd = await whileNamed(entry, () =>
        openFile(path, 'r').catch((cause: unknown) => {
          throw unreadable(path, cause);
        }),
      );
      held.set(entry.name, fd);
      closing.register(held, fd);
    },
  };
}

const openFile = promisify(openFd);
const readFd = promisify(read);
const statFd = promisify(fstat);

/** One file of a folder, verified, for who knows that nobody else writes there. Throws STORE_CORRUPT. */
export const readVerified = (store: string, entry: FileEntry): Promise<Buffer> =>
  readFrom(store, entry, { verified: new Map(), held: new Map() }, fileBuffer());

/** Why a file cannot be opened although it is whole. */
const NO_DAMAGE: Readonly<Record<string, string>> = {
  EMFILE: 'Nothing is damaged: raise the limit of open files ("ulimit -n 1024") and run the same command again.',
  ENFILE: 'Nothing is damaged: this machine has too many files open. Run the same command again later.',
  EACCES: 'Give permission to read it, then run the same command again.',
  EPERM: 'Give permission to read it, then run the same command again.',
};

function unreadable(path: string, cause: unknown): PermafrostError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const advice = NO_DAMAGE[code] ?? 'Restore it, or extract again into a new store.';
  return new PermafrostError('STORE_CORRUPT', `${path} cannot be read: ${reasonOf(cause)}. ${advice}`, { cause });
}

const openFrom = (store: string, { name }: FileEntry): Promise<FileHandle> =>
  open(join(store, name)).catch((cause: unknown) => {
    throw unreadable(join(store, name), cause);
  });

async function readFrom(
  store: string,
  entry: FileEntry,
  { verified, held }: { readonly verified: Map<string, string>; readonly held: ReadonlyMap<string, number> },
  buffer: FileBuffer,
): Promise<Buffer> {
  const path = join(store, entry.name);
  const { stamp, size, length } = await readInto(path, held.get(entry.name), entry, buffer).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const bytes = buffer.bytes.subarray(0, length);
  const known = verified.get(entry.name) === stamp && length === entry.bytes;
  if (!known && createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${path} is not what was written (${size} bytes, expected ${entry.bytes} with SHA-256 ${entry.sha256.slice(0, 16)}…). Restore it, or extract again into a new store.`,
    );
  }
  verified.set(entry.name, stamp);
  buffer.holds = `${entry.name} ${stamp}`;
  return bytes;
}

/** Reads a file of the expected size; of another size it reads nothing, for it is not what was written. */
async function readInto(
  path: string,
  held: number | undefined,
  { name, bytes }: FileEntry,
  buffer: FileBuffer,
): Promise<{ readonly stamp: string; readonly size: bigint; readonly length: number }> {
  const handle = held === undefined ? await open(path) : undefined;
  const fd = handle?.fd ?? held!;
  try {
    const facts = await statFd(fd, { bigint: true });
    const stamp = stampText(facts);
    if (buffer.holds === `${name} ${stamp}`) return { stamp, size: facts.size, length: bytes };
    buffer.holds = '';
    if (facts.size !== BigInt(bytes)) return { stamp, size: facts.size, length: 0 };
    // Not before the file has that size: what a manifest says alone takes no memory.
    if (buffer.bytes.length < bytes) buffer.bytes = Buffer.allocUnsafeSlow(bytes);
    const { bytesRead } = await readFd(fd, buffer.bytes, 0, bytes, 0);
    return { stamp, size: facts.size, length: bytesRead };
  } finally {
    await handle?.close();
  }
}
