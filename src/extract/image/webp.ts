import { pictureOf } from './picture.ts';
import type { ResizeOptions } from './sharp.ts';
import { whatIsWrong } from './what-is-wrong.ts';

/** How large a picture is drawn, in sharp's words. */
export type WebpSize = Pick<ResizeOptions, 'width' | 'height' | 'fit' | 'withoutEnlargement'>;

/** A picture in another size: upright, on white, sRGB, WebP bytes of `quality` 1 to 100. Throws IMAGE_UNDECODABLE. */
export async function toWebp(bytes: Uint8Array, size: WebpSize, quality: number): Promise<Uint8Array> {
  const picture = (await pictureOf(bytes)).autoOrient().flatten({ background: '#ffffff' }).resize(size);
  try {
    return await picture.webp({ quality }).toBuffer();
  } catch (cause) {
    throw whatIsWrong(cause);
  }
}
