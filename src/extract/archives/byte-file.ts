import { open, stat } from 'node:fs/promises';
import { PermafrostError } from '../../core/errors.ts';
import type { FileStamp } from '../../core/files/file-stamp.ts';

/** A file that is read in parts: on a disk, or an object in a bucket. */
export interface ByteFile {
  /** What messages call it. */
  readonly name: string;
  /** What it was when it was opened; its size in bytes is there too. */
  readonly stamp: FileStamp;
  /** Bytes that are read at once where only a few are asked for: more where a request takes long. */
  readonly windowBytes: number;
  /** The bytes from `offset`, `length` of them, or fewer where the file ends before. */
  read(offset: number, length: number): Promise<Buffer>;
}

export const sizeOf = ({ stamp }: ByteFile): number => Number(stamp.size);

/** A header, and the small files that lie behind it: a class, a record of facts. */
const LOCAL_WINDOW_BYTES = 8192;

/**
 * Runs `work` on the file at `path`, which is open meanwhile. Throws the system's error where it cannot be opened, and
 * ARCHIVE_CORRUPT where it is no file, or changes meanwhile.
 */
export async function withLocalFile<T>(path: string, work: (file: ByteFile) => Promise<T>): Promise<T> {
  // A pipe would wait for a writer when it is opened.
  if (!(await stat(path)).isFile()) throw new PermafrostError('ARCHIVE_CORRUPT', `${path} is no file.`);
  const handle = await open(path, 'r');
  try {
    const { size, mtimeNs, ctimeNs, ino } = await handle.stat({ bigint: true });
    const done = await work({
      name: path,
      stamp: { size, mtimeNs, ctimeNs, ino },
      windowBytes: LOCAL_WINDOW_BYTES,
      async read(offset, length) {
        const bytes = Buffer.allocUnsafeSlow(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      },
    });
    const after = await handle.stat({ bigint: true });
    if (after.size !== size || after.mtimeNs !== mtimeNs)
      throw new PermafrostError('ARCHIVE_CORRUPT', `${path} changed while it was read. Run again when it is at rest.`);
    return done;
  } finally {
    await handle.close();
  }
}

/** Reads a file through a window: what lies in the part that was read last is not read again. */
export function windowOn(file: ByteFile): (offset: number, length: number) => Promise<Buffer> {
  let start = 0;
  let bytes: Buffer = Buffer.alloc(0);
  return async (offset, length) => {
    if (offset < start || offset + length > start + bytes.length) {
      bytes = await file.read(offset, Math.max(length, file.windowBytes));
      start = offset;
    }
    return bytes.subarray(offset - start, offset - start + length);
  };
}
