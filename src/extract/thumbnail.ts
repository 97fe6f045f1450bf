import { PermafrostError } from '../core/errors.ts';
import { loadSharp } from './sharp.ts';

/** Quality of the WebP files: on photographs of 96 pixels about 1.7 kB each. */
const QUALITY = 60;

/**
 * A picture for people: turned upright, cut to the middle square, `side` x `side` pixels, on white where it is transparent, sRGB, as the
 * bytes of a WebP file without metadata. Throws IMAGE_UNDECODABLE.
 */
export async function thumbnail(bytes: Uint8Array, side: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  try {
    return await sharp(bytes)
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .resize(side, side, { fit: 'cover' })
      .webp({ quality: QUALITY })
      .toBuffer();
  } catch (cause) {
    throw new PermafrostError('IMAGE_UNDECODABLE', 'The file does not decode.', { cause });
  }
}
