/**
 * What the file system tells of a file without reading it: when none of it changed, the file is taken to be what it
 * was. `ctimeNs` is the time of the last change of anything, which no program can set back as it can `mtimeNs`. Times
 * in nanoseconds since 1970.
 */
export interface FileStamp {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
}

/** A stamp as text: equal for equal stamps. */
export const stampText = ({ size, mtimeNs, ctimeNs, ino }: FileStamp): string => [size, mtimeNs, ctimeNs, ino].join();

/** What is remembered of the files of a data set. */
export interface FileMemory {
  /** The SHA-256 that a file had when it was read with this very stamp; undefined where it must be read. */
  recall(path: string, stamp: FileStamp): string | undefined;
  /**
   * Remembers a file that was read: its stamp before reading, taken at `atMs` (milliseconds since 1970), and its
   * SHA-256.
   */
  note(path: string, stamp: FileStamp, sha256: string, atMs: number): void;
}
