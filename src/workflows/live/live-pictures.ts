import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { largePicture, thumbnail } from '../../extract/thumbnail.ts';
import type { Snapshot } from './live-store.ts';

/** Pixels of a side of a thumbnail, and at most of a large picture. */
const SIDES = { thumbnail: 160, large: 1024 } as const;
export type PictureSize = keyof typeof SIDES;

/** Bytes of pictures that are kept, the last used ones. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Pictures in work at once: libuv has four threads, and the network's pictures are decoded on them too. */
const LANES = 2;
/** Larger files are no pictures for a page. */
const MOST_FILE_BYTES = 500 * 2 ** 20;

/** Pictures for people, as WebP. */
export interface LivePictures {
  /**
   * Of row `row`: from a file below the data set's folder (links followed) that is still the one which was extracted. Throws
   * IMAGE_UNREADABLE, IMAGE_UNDECODABLE.
   */
  stored(snapshot: Snapshot, row: number, size: PictureSize): Promise<Uint8Array>;
  /** Of bytes at hand, whose digest is their name. */
  given(sha256: string, read: () => Promise<Uint8Array>, size: PictureSize): Promise<Uint8Array>;
}

/** The bytes of a file below `root`. Throws IMAGE_UNREADABLE where it is gone or a link leads out. */
async function readBelow(root: string, path: string): Promise<Uint8Array> {
  let real: string;
  try {
    real = await realpath(join(root, path));
    const top = await realpath(root);
    if (!real.startsWith(top.endsWith(sep) ? top : top + sep))
      throw new Error('It lies outside the folder of the data set, which the studio does not show.');
    if ((await stat(real)).size > MOST_FILE_BYTES)
      throw new Error(`It has more than ${MOST_FILE_BYTES / 2 ** 20} MiB.`);
    return await readFile(real);
  } catch (cause) {
    throw new PermafrostError('IMAGE_UNREADABLE', `${path}: ${reasonOf(cause)}`, { cause });
  }
}

export function livePictures(): LivePictures {
  const kept = new Map<string, Uint8Array>();
  const underWay = new Map<string, Promise<Uint8Array>>();
  const waiting: (() => void)[] = [];
  let bytes = 0;
  let busy = 0;

  async function inLane<T>(work: () => Promise<T>): Promise<T> {
    if (busy >= LANES) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) busy--;
      else next();
    }
  }
  function keep(key: string, picture: Uint8Array): void {
    kept.set(key, picture);
    bytes += picture.length;
    for (const [oldest, { length }] of kept) {
      if (bytes <= KEPT_BYTES) break;
      kept.delete(oldest);
      bytes -= length;
    }
  }
  function given(sha256: string, read: () => Promise<Uint8Array>, size: PictureSize): Promise<Uint8Array> {
    const key = `${sha256}/${size}`;
    const known = kept.get(key);
    if (known !== undefined) {
      kept.delete(key);
      kept.set(key, known);
      return Promise.resolve(known);
    }
    const making = underWay.get(key);
    if (making !== undefined) return making;
    const made = inLane(async () => {
      const source = await read();
      const picture = await (size === 'large' ? largePicture : thumbnail)(source, SIDES[size]);
      keep(key, picture);
      return picture;
    }).finally(() => underWay.delete(key));
    underWay.set(key, made);
    return made;
  }

  return {
    given,
    stored({ manifest, samples }, row, size) {
      const { path, sha256 } = samples[row]!;
      const read = async (): Promise<Uint8Array> => {
        const source = await readBelow(manifest.dataset.root, path);
        if (sha256Hex(source) !== sha256)
          throw new PermafrostError(
            'IMAGE_UNREADABLE',
            `${path} is another file now than the one that was extracted.`,
          );
        return source;
      };
      return given(sha256, read, size);
    },
  };
}
