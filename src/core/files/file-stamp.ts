/**
 * What the file system tells of a file without reading it; where none of it changed, the file is taken as unchanged. No
 * program can set back `ctimeNs` (the last change of anything). Times in nanoseconds since 1970.
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
  /** The version of the decoder that was noted with a file that was recalled. */
  decoderOf(path: string): number;
  /**
   * Remembers a file that was read. The stamp was taken before reading, at `atMs` (milliseconds since 1970). `decoder`
   * is the version since which such a file decodes as it does (default 1).
   */
  note(path: string, stamp: FileStamp, sha256: string, atMs: number, decoder?: number): void;
}
