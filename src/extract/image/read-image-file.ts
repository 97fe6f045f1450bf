import { open, stat } from 'node:fs/promises';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { FileMemory, FileStamp } from '../../core/file-stamp.ts';
import { decoderOf } from './formats/decoder.ts';

/** Largest file that is read, in bytes: several are in memory at once. */
export const MAX_FILE_BYTES = 256 * 2 ** 20;

/** A file's content, or what is remembered of it where it did not have to be read. */
export interface ImageFile {
  readonly sha256: string;
  /** The version of the decoder since which it decodes as it does (formats/decoder.ts). */
  readonly decoder: number;
  readonly bytes: Buffer | undefined;
}

function unreadable(reason: string): never {
  throw new PermafrostError('IMAGE_UNREADABLE', reason);
}

/**
 * Reads the file at `path`, unless `memory` (which knows it as `name`) recalls its stamp and `isKnown` needs nothing of
 * that content. Throws IMAGE_UNREADABLE for a pipe or device, a file too large or changed while read; and the system's
 * own error where it cannot be opened.
 */
export async function readImageFile(
  path: string,
  name: string,
  memory: FileMemory | undefined,
  isKnown: (sha256: string, decoder: number) => boolean,
): Promise<ImageFile> {
  const atMs = Date.now();
  const facts = await stat(path, { bigint: true });
  if (facts.isDirectory()) unreadable('It is a folder.');
  if (!facts.isFile())
    unreadable('It is a pipe, a socket or a device, no file: it is not opened. Take it out of the data set.');
  const recalled = memory?.recall(name, facts);
  if (memory !== undefined && recalled !== undefined) {
    const decoder = memory.decoderOf(name);
    if (isKnown(recalled, decoder)) return { sha256: recalled, decoder, bytes: undefined };
  }
  const handle = await open(path, 'r');
  try {
    const before = await handle.stat({ bigint: true });
    if (before.size > MAX_FILE_BYTES)
      unreadable(`It has ${before.size} bytes, above the ${MAX_FILE_BYTES} that are read. Make it smaller.`);
    const bytes = await handle.readFile();
    const after = await handle.stat({ bigint: true });
    if (!isSame(before, after) || BigInt(bytes.length) !== after.size)
      unreadable('It changed while it was read: half of it may be of before. Run again when it is at rest.');
    const sha256 = sha256Hex(bytes);
    const decoder = decoderOf(bytes);
    memory?.note(name, before, sha256, atMs, decoder);
    return { sha256, decoder, bytes };
  } finally {
    await handle.close();
  }
}

const isSame = (a: FileStamp, b: FileStamp): boolean => a.size === b.size && a.mtimeNs === b.mtimeNs;
