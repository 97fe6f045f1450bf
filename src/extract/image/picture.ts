import { ownFormatOf } from './formats/index.ts';
import { IMAGE_TIMEOUT_MS, MAX_PIXELS } from './limits.ts';
import { loadSharp, type Picture } from './sharp.ts';

/**
 * The picture of a file for sharp to work on, whether sharp decodes it or a decoder of ours. It is stopped after
 * `timeoutMs` where libvips can be stopped. Throws IMAGE_UNDECODABLE for own formats, PACKAGE_MISSING.
 */
export async function pictureOf(bytes: Uint8Array, timeoutMs: number = IMAGE_TIMEOUT_MS): Promise<Picture> {
  const sharp = await loadSharp();
  const own = await ownFormatOf(bytes)?.pixels(bytes);
  const picture =
    own === undefined
      ? sharp(bytes, { failOn: 'truncated', limitInputPixels: MAX_PIXELS })
      : sharp(own.data, { raw: { width: own.width, height: own.height, channels: own.channels as 3 | 4 } });
  return picture.timeout({ seconds: Math.ceil(timeoutMs / 1000) });
}
