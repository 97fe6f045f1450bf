import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { largePicture, thumbnail } from '../../extract/image/thumbnail.ts';
import type { Snapshot } from './store.ts';

/** Pixels of a side of a thumbnail, and at most of a large picture. */
const SIDES = { thumbnail: 160, large: 1024 } as const;
export type PictureSize = keyof typeof SIDES;

/** Bytes of the last used pictures that are kept. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Pictures made at once: libuv has four threads, and the network's pictures are decoded on them too. */
const LANES = 2;
/** Largest image file that is read. */
const MOST_FILE_BYTES = 500 * 2 ** 20;

/** Pictures for people, as WebP. */
export interface LivePictures {
  /** Of a stored image, if its file is still the one that was extracted. Throws IMAGE_UNREADABLE, IMAGE_UNDECODABLE. */
  stored(snapshot: Snapshot, row: number, size: PictureSize): Promise<Uint8Array>;
  /** Of bytes with that digest. */
  given(sha256: string, read: () => Promise<Uint8Array>, size: PictureSize): Promise<Uint8Array>;
}

/** Whether a path itself leads out of the data set's folder, as only lists of images (.csv, .jsonl) may. */
const namesOutside = (path: string): boolean => isAbsolute(path) || path.split('/')[0] === '..';

/** The real path of a sample. Throws where a link leads out of the folder, or stands for a file outside. */
async function fileOf(root: string, path: string): Promise<string> {
  const named = resolve(root, path);
  const real = await realpath(named);
  if (namesOutside(path)) {
    if ((await lstat(named)).isSymbolicLink())
      throw new Error('It is a link to a place that the data set does not name.');
    return real;
  }
  const top = await realpath(root);
  if (!real.startsWith(top.endsWith(sep) ? top : top + sep))
    throw new Error('A link leads outside the folder of the data set, which the studio does not show.');
  return real;
}

/** Bytes of an image of the data set. Throws IMAGE_UNREADABLE where it is gone, no file, or a link to elsewhere. */
async function readImage(root: string, path: string): Promise<Uint8Array> {
  try {
    const file = await fileOf(root, path);
    const facts = await stat(file);
    // Reading a pipe might never end.
    if (!facts.isFile()) throw new Error('It is no file.');
    if (facts.size > MOST_FILE_BYTES) throw new Error(`It has more than ${MOST_FILE_BYTES / 2 ** 20} MiB.`);
    return await readFile(file);
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
    stored({ store, samples }, row, size) {
      const { path, sha256 } = samples.sample(row);
      const read = async (): Promise<Uint8Array> => {
        const source = await readImage(store.manifest.dataset.root, path);
        if (sha256Hex(source) !== sha256)
          throw new PermafrostError('IMAGE_UNREADABLE', `${path} is another file now than the one that was extracted.`);
        return source;
      };
      return given(sha256, read, size);
    },
  };
}
