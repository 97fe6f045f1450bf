import { createHash } from 'node:crypto';
import type { FileStamp } from '../../../core/files/file-stamp.ts';

/** What a listing, or an answer about an object, says of it. */
export interface ObjectFacts {
  readonly size: number;
  /** Changes with the content; a storage may lack it. */
  readonly etag: string | undefined;
  /** Milliseconds since 1970, by the clock of the storage. */
  readonly changedMs: number;
}

/** The first 64 bits of the SHA-256 of an ETag. */
const tagOf = (etag: string): bigint => createHash('sha256').update(etag).digest().readBigInt64BE(0);

/**
 * The stamp of an object: its size and ETag, and no time, so that the same bytes written again are no change. Without
 * an ETag the time of its last change takes its place.
 */
export function objectStamp({ size, etag, changedMs }: ObjectFacts): FileStamp {
  const time = etag === undefined ? BigInt(changedMs) * 1_000_000n : 0n;
  return { size: BigInt(size), mtimeNs: time, ctimeNs: time, ino: etag === undefined ? 0n : tagOf(etag) };
}

/** The stamps of objects that a listing told. */
export interface ObjectStamps {
  stampOf(path: string): FileStamp | undefined;
}

/**
 * Keeps stamps by path, in 24 bytes an object; `paths` stand in the order of their code units, and are kept too. Those
 * that `stampOf` does not know have none.
 */
export function objectStamps(
  paths: readonly { readonly path: string }[],
  stampOf: (path: string) => FileStamp | undefined,
): ObjectStamps {
  const [sizes, times, tags] = [0, 0, 0].map(() => new BigInt64Array(paths.length)) as [
    BigInt64Array,
    BigInt64Array,
    BigInt64Array,
  ];
  for (const [i, { path }] of paths.entries()) {
    const stamp = stampOf(path);
    sizes[i] = stamp?.size ?? -1n;
    times[i] = stamp?.mtimeNs ?? 0n;
    tags[i] = stamp?.ino ?? 0n;
  }
  return {
    stampOf(path) {
      let [from, to] = [0, paths.length];
      while (from < to) {
        const middle = (from + to) >> 1;
        if (paths[middle]!.path < path) from = middle + 1;
        else to = middle;
      }
      const size = paths[from]?.path === path ? sizes[from]! : -1n;
      return size < 0n ? undefined : { size, mtimeNs: times[from]!, ctimeNs: times[from]!, ino: tags[from]! };
    },
  };
}
