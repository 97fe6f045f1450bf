import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { stampText } from '../../core/files/file-stamp.ts';
import type { FileEntry } from '../format/manifest.ts';

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
  /** A file, verified: into `buffer` where given, unless it is still there. Throws STORE_CORRUPT. */
  read(entry: FileEntry, buffer?: FileBuffer): Promise<Buffer>;
}

/** The files of a store. SHA-256 is checked on first reading, and again when size, times or inode have changed. */
export function storeFiles(store: string): StoreFiles {
  const verified = new Map<string, string>();
  return {
    path: store,
    async read(entry, buffer = fileBuffer()) {
      const path = join(store, entry.name);
      const { stamp, size, length } = await readInto(path, entry, buffer).catch((cause: unknown) => {
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${path} cannot be read: ${reasonOf(cause)}. Restore it, or extract again into a new store.`,
          { cause },
        );
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
    },
  };
}

/** Reads a file of the expected size; of another size it reads nothing, for it is not what was written. */
async function readInto(
  path: string,
  { name, bytes }: FileEntry,
  buffer: FileBuffer,
): Promise<{ readonly stamp: string; readonly size: bigint; readonly length: number }> {
  const handle = await open(path);
  try {
    const facts = await handle.stat({ bigint: true });
    const stamp = stampText(facts);
    if (buffer.holds === `${name} ${stamp}`) return { stamp, size: facts.size, length: bytes };
    buffer.holds = '';
    if (facts.size !== BigInt(bytes)) return { stamp, size: facts.size, length: 0 };
    // Not before the file has that size: what a manifest says alone takes no memory.
    if (buffer.bytes.length < bytes) buffer.bytes = Buffer.allocUnsafeSlow(bytes);
    const { bytesRead } = await handle.read(buffer.bytes, 0, bytes, 0);
    return { stamp, size: facts.size, length: bytesRead };
  } finally {
    await handle.close();
  }
}

/** One file of a store, as StoreFiles reads it. */
export const readVerified = (store: string, entry: FileEntry): Promise<Buffer> => storeFiles(store).read(entry);
