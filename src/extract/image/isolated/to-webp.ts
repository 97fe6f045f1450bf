import { show } from '../decode.ts';
import { SEEN } from '../picture.ts';
import type { ResizeOptions } from '../sharp.ts';

/** How large a picture is drawn, in sharp's words. */
export type WebpSize = Pick<ResizeOptions, 'width' | 'height' | 'fit' | 'withoutEnlargement'>;

/** A picture in another size: upright, on white, sRGB, WebP bytes of `quality` 1 to 100. Throws IMAGE_UNDECODABLE. */
export function toWebp(bytes: Uint8Array, size: WebpSize, quality: number): Promise<Uint8Array> {
  return show(bytes, SEEN, (picture) =>
    picture.flatten({ background: '#ffffff' }).resize(size).toColourspace('srgb').webp({ quality }).toBuffer(),
  );
}
