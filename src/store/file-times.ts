import { sha256Hex } from '../core/digest.ts';
import type { FileMemory, FileStamp } from '../core/file-stamp.ts';
import { contentIndex } from './content-index.ts';
import {
  DIGEST_BYTES,
  readFileTimes,
  STAMPS,
  writeFileTimes,
  type FileTimesTable,
} from './file-times-file.ts';

/**
 * A file that was changed this shortly before it was read, in milliseconds, is read again next time: a change just after the reading
 * could leave the same time behind (FAT counts in 2 s; git calls such entries racy).
 */
export const RACY_MS = 2000;

type Stamps = Record<(typeof STAMPS)[number], BigInt64Array>;

const emptyStamps = (length: number): Stamps => ({
  size: new BigInt64Array(length),
  mtimeNs: new BigInt64Array(length),
  ctimeNs: new BigInt64Array(length),
  ino: new BigInt64Array(length),
});

/** The bytes of an array as a Buffer, which writes hex. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

const hexAt = (digests: Buffer, i: number): string =>
  digests.toString('hex', i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);

/** What this run has seen, entry by entry. */
function entries() {
  const index = contentIndex();
  let contents = Buffer.alloc(64 * DIGEST_BYTES);
  let stamps = emptyStamps(64);
  function grow(): void {
    contents = Buffer.concat([contents, Buffer.alloc(contents.length)]);
    const more = emptyStamps(2 * stamps.size.length);
    for (const key of STAMPS) more[key].set(stamps[key]);
    stamps = more;
  }
  return {
    put(pathDigest: string, stamp: FileStamp, sha256: string): void {
      const at = index.add(pathDigest);
      if (at === stamps.size.length) grow();
      contents.write(sha256, at * DIGEST_BYTES, 'hex');
      for (const key of STAMPS) stamps[key][at] = stamp[key];
    },
    table(root: string): FileTimesTable {
      const count = index.size;
      const paths = Buffer.alloc(count * DIGEST_BYTES);
      for (let i = 0; i < count; i++) paths.write(index.digestOf(i), i * DIGEST_BYTES, 'hex');
      const counted = emptyStamps(count);
      for (const key of STAMPS) counted[key].set(stamps[key].subarray(0, count));
      return { root, count, paths, contents: contents.subarray(0, count * DIGEST_BYTES), stamps: counted };
    },
  };
}

/** What a table tells, by the digests of the paths. */
function recallable({ count, paths, contents, stamps }: FileTimesTable) {
  const index = contentIndex();
  const digests = asBuffer(paths);
  for (let i = 0; i < count; i++) index.add(hexAt(digests, i));
  return { index, contents: asBuffer(contents), stamps };
}

/** A FileMemory that can be kept in the store. */
export interface FileTimes extends FileMemory {
  /** Keeps what was noted and recalled, and nothing else; nothing is recalled any more. Throws STORE_WRITE. */
  write(): Promise<void>;
}

/**
 * The memory of a store for the data set at `root`: empty where the store has none or it is of another folder, and with `fresh`. Throws
 * STORE_CORRUPT where the file is damaged. About 150 bytes an image.
 */
export async function openFileTimes(store: string, root: string, fresh: boolean): Promise<FileTimes> {
  const found = fresh ? undefined : await readFileTimes(store);
  let old = found?.root === root ? recallable(found) : undefined;
  const seen = entries();
  return {
    recall(path, stamp) {
      if (old === undefined) return undefined;
      const pathDigest = sha256Hex(path);
      const at = old.index.find(pathDigest);
      if (at < 0 || STAMPS.some((key) => old!.stamps[key][at] !== BigInt.asIntN(64, stamp[key])))
        return undefined;
      const sha256 = hexAt(old.contents, at);
      seen.put(pathDigest, stamp, sha256);
      return sha256;
    },
    note(path, stamp, sha256, atMs) {
      const changed = stamp.mtimeNs > stamp.ctimeNs ? stamp.mtimeNs : stamp.ctimeNs;
      if (changed / 1_000_000n + BigInt(RACY_MS) < BigInt(atMs)) seen.put(sha256Hex(path), stamp, sha256);
    },
    async write() {
      old = undefined; // a hundred bytes an image, before as many are taken for the new table
      await writeFileTimes(store, seen.table(root));
    },
  };
}
