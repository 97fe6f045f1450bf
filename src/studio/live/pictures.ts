import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { lanes } from '../../core/mutex.ts';
import { largePicture, thumbnail } from '../../extract/image/thumbnail.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import { imageSource } from '../../extract/source/open.ts';
import type { Snapshot } from './snapshot.ts';

/** Pixels of a side of a thumbnail, and at most of a large picture. */
const SIDES = { thumbnail: 160, large: 1024 } as const;
export type PictureSize = keyof typeof SIDES;

/** Bytes of the last used pictures that are kept. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Pictures made at once: libuv has four threads, and the network's pictures are decoded on them too. */
const LANES = 2;

/** Pictures for people, as WebP. */
export interface LivePictures {
  /** Of a stored image, if its file is still the one that was extracted. Throws IMAGE_UNREADABLE, IMAGE_UNDECODABLE. */
  stored(snapshot: Snapshot, row: number, size: PictureSize): Promise<Uint8Array>;
  /** Of bytes with that digest. */
  given(sha256: string, read: () => Promise<Uint8Array>, size: PictureSize): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Bytes of an image of the data set. Throws IMAGE_UNREADABLE where it is gone, no file, or a link to elsewhere. */
async function readImage(source: ImageSource, path: string): Promise<Uint8Array> {
  try {
    return await source.read(path);
  } catch (cause) {
    throw new PermafrostError('IMAGE_UNREADABLE', `${path}: ${reasonOf(cause)}`, { cause });
  }
}

export function livePictures(): LivePictures {
  const kept = new Map<string, Uint8Array>();
  const underWay = new Map<string, Promise<Uint8Array>>();
  let bytes = 0;
  const inLane = lanes(LANES);
  // A snapshot may have another data set than the one before it.
  const sources = new Map<string, Promise<ImageSource>>();
  function sourceAt(root: string): Promise<ImageSource> {
    const source = sources.get(root) ?? imageSource(root, { links: 'inside' });
    sources.set(root, source);
    source.catch(() => sources.delete(root));
    return source;
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
        const source = await readImage(await sourceAt(store.manifest.dataset.root), path);
        if (sha256Hex(source) !== sha256)
          throw new PermafrostError('IMAGE_UNREADABLE', `${path} is another file now than the one that was extracted.`);
        return source;
      };
      return given(sha256, read, size);
    },
    async close() {
      for (const source of sources.values()) await (await source).close();
    },
  };
}
