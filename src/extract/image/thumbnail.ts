import { PermafrostError } from '../../core/errors.ts';
import { loadSharp } from './sharp.ts';

/** Quality of the WebP files: on photographs of 96 pixels about 1.7 kB each. */
const QUALITY = 60;
/** Of large ones, where the artefacts of 60 are seen. */
const LARGE_QUALITY = 80;

/** A thumbnail: upright, the middle square of `side` pixels, on white, sRGB, WebP bytes. Throws IMAGE_UNDECODABLE. */
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

/** The whole picture, upright, on white, sRGB, at most `most` pixels a side, WebP bytes. Throws IMAGE_UNDECODABLE. */
export async function largePicture(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  try {
    return await sharp(bytes)
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .resize(most, most, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: LARGE_QUALITY })
      .toBuffer();
  } catch (cause) {
    throw new PermafrostError('IMAGE_UNDECODABLE', 'The file does not decode.', { cause });
  }
}
