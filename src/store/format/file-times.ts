import { sha256Hex } from '../../core/digest.ts';
import type { FileMemory, FileStamp } from '../../core/files/file-stamp.ts';
import { contentIndex } from './content-index.ts';
import { DIGEST_BYTES, readFileTimes, STAMPS, writeFileTimes, type FileTimesTable } from './file-times-file.ts';

/**
 * A file changed within so many milliseconds before it was read is read again next time. A change just after the
 * reading could leave the same time behind: FAT counts in 2 s, git calls such entries racy.
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

const hexAt = (digests: Buffer, i: number): string => digests.toString('hex', i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);

/** What was noted, entry by entry. */
function entries() {
  const index = contentIndex();
  let contents = Buffer.alloc(64 * DIGEST_BYTES);
  let stamps = emptyStamps(64);
  let decoders = new Uint8Array(64);
  function grow(): void {
    contents = Buffer.concat([contents, Buffer.alloc(contents.length)]);
    const more = emptyStamps(2 * stamps.size.length);
    for (const key of STAMPS) more[key].set(stamps[key]);
    stamps = more;
    const moreDecoders = new Uint8Array(2 * decoders.length);
    moreDecoders.set(decoders);
    decoders = moreDecoders;
  }
  return {
    put(pathDigest: string, stamp: FileStamp, sha256: string, decoder: number): void {
      const at = index.add(pathDigest);
      if (at === stamps.size.length) grow();
      contents.write(sha256, at * DIGEST_BYTES, 'hex');
      for (const key of STAMPS) stamps[key][at] = stamp[key];
      decoders[at] = decoder;
    },
    table(): Omit<FileTimesTable, 'root'> {
      const count = index.size;
      const paths = Buffer.alloc(count * DIGEST_BYTES);
      for (let i = 0; i < count; i++) paths.write(index.digestOf(i), i * DIGEST_BYTES, 'hex');
      const counted = Object.fromEntries(STAMPS.map((key) => [key, stamps[key].subarray(0, count)])) as Stamps;
      return {
        count,
        paths,
        contents: contents.subarray(0, count * DIGEST_BYTES),
        stamps: counted,
        decoders: decoders.subarray(0, count),
      };
    },
  };
}

/** What a table holds, by the digests of the paths, and which of its entries were seen again: 1, else 0. */
function recallable({ count, paths, contents, stamps, decoders }: FileTimesTable) {
  const index = contentIndex();
  const known = { paths: asBuffer(paths), contents: asBuffer(contents), stamps, decoders };
  for (let i = 0; i < count; i++) index.add(hexAt(known.paths, i));
  return { ...known, index, seen: new Uint8Array(count) };
}
type Recallable = ReturnType<typeof recallable>;

/** Those entries of an old table that were seen again, and behind them the new ones. */
function joined(
  root: string,
  old: Omit<Recallable, 'index'> | undefined,
  noted: Omit<FileTimesTable, 'root'>,
): FileTimesTable {
  const kept = old?.seen.reduce((sum, seen) => sum + seen, 0) ?? 0;
  const count = kept + noted.count;
  const [paths, contents] = [Buffer.alloc(count * DIGEST_BYTES), Buffer.alloc(count * DIGEST_BYTES)];
  const stamps = emptyStamps(count);
  const decoders = new Uint8Array(count);
  let at = 0;
  old?.seen.forEach((seen, i) => {
    if (seen === 0) return;
    const [from, end] = [i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES];
    old.paths.copy(paths, at * DIGEST_BYTES, from, end);
    old.contents.copy(contents, at * DIGEST_BYTES, from, end);
    for (const key of STAMPS) stamps[key][at] = old.stamps[key][i]!;
    decoders[at] = old.decoders[i]!;
    at++;
  });
  paths.set(noted.paths, kept * DIGEST_BYTES);
  contents.set(noted.contents, kept * DIGEST_BYTES);
  for (const key of STAMPS) stamps[key].set(noted.stamps[key], kept);
  decoders.set(noted.decoders, kept);
  return { root, count, paths, contents, stamps, decoders };
}

/** A FileMemory that can be kept in the store. */
export interface FileTimes extends FileMemory {
  /** Keeps what was noted and recalled, and nothing else; nothing is recalled any more. Throws STORE_WRITE. */
  write(): Promise<void>;
}

/**
 * The memory of a store for the data set at `root`; empty with `fresh`, or where the file is of another folder. Throws
 * STORE_CORRUPT where the file is damaged. About 150 bytes an image.
 */
export async function openFileTimes(store: string, root: string, fresh: boolean): Promise<FileTimes> {
  const found = fresh ? undefined : await readFileTimes(store);
  let old = found?.root === root ? recallable(found) : undefined;
  const noted = entries();
  return {
    recall(path, stamp) {
      if (old === undefined) return undefined;
      const at = old.index.find(sha256Hex(path));
      if (at < 0 || STAMPS.some((key) => old!.stamps[key][at] !== BigInt.asIntN(64, stamp[key]))) return undefined;
      old.seen[at] = 1;
      return hexAt(old.contents, at);
    },
    decoderOf(path) {
      return old?.decoders[old.index.find(sha256Hex(path))] ?? 1;
    },
    note(path, stamp, sha256, atMs, decoder = 1) {
      const pathDigest = sha256Hex(path);
      // What was recalled before of the same file counts no more.
      const at = old?.index.find(pathDigest) ?? -1;
      if (at >= 0) old!.seen[at] = 0;
      const changed = stamp.mtimeNs > stamp.ctimeNs ? stamp.mtimeNs : stamp.ctimeNs;
      if (changed / 1_000_000n + BigInt(RACY_MS) < BigInt(atMs)) noted.put(pathDigest, stamp, sha256, decoder);
    },
    async write() {
      const [known, table] = [old, noted.table()];
      old = undefined;
      // Where all is as it was the file is too.
      if (known !== undefined && table.count === 0 && known.seen.every((seen) => seen === 1)) return;
      await writeFileTimes(store, joined(root, known, table));
    },
  };
}
