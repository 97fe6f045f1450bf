import { PermafrostError } from '../../core/errors.ts';
import type { FileStamp } from '../../core/files/file-stamp.ts';

/** Largest image file that is read, in bytes: several are in memory at once. */
export const MAX_FILE_BYTES = 256 * 2 ** 20;

/** Where the bytes of a data set's images are. Many images are asked for at once. */
export interface ImageSource {
  /** As the data set names it; sample paths are relative to it. */
  readonly root: string;
  /**
   * What tells whether an image changed, without reading it. Throws IMAGE_UNREADABLE for what is no file, and the
   * system's own error where there is none.
   */
  stamp(path: string): Promise<FileStamp>;
  /**
   * The whole file of an image. Throws as `stamp`; IMAGE_UNREADABLE where it has more than MAX_FILE_BYTES or changed
   * while it was read; INTERRUPTED after `signal`, where reading can be ended at all.
   */
  read(path: string, signal?: AbortSignal): Promise<Buffer>;
  /** Ends what is held open; nothing is read afterwards. */
  close(): Promise<void>;
}

/** Whether an error is of the storage that images lie in, so that no image can be had; else it is of one image. */
export const isOfStorage = (error: unknown): error is PermafrostError =>
  error instanceof PermafrostError && /^(DATASET_|PACKAGE_MISSING$|OPTION_INVALID$)/.test(error.code);

/** The bytes of an image, or undefined where it cannot be read. Throws what is of the storage, and INTERRUPTED. */
export async function readIfReadable(
  source: ImageSource,
  path: string,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  return source.read(path, signal).catch((error: unknown) => {
    if (isOfStorage(error) || (error instanceof PermafrostError && error.code === 'INTERRUPTED')) throw error;
    return undefined;
  });
}

/** Throws IMAGE_UNREADABLE. */
export function unreadable(reason: string, cause?: unknown): never {
  throw new PermafrostError('IMAGE_UNREADABLE', reason, { cause });
}

/** Throws IMAGE_UNREADABLE for a file of more than MAX_FILE_BYTES. */
export function requireReadable(size: number | bigint): void {
  if (size > MAX_FILE_BYTES)
    unreadable(`It has ${size} bytes, above the ${MAX_FILE_BYTES} that are read. Make it smaller.`);
}
