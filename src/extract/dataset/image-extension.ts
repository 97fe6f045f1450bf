import { PermafrostError } from '../../core/errors.ts';
import { ownFormatOf } from '../image/own-formats/index.ts';
import { loadSharp } from '../image/sharp.ts';

/** The extension, with its dot, under which the bytes of an image are found as one again. Throws IMAGE_UNDECODABLE. */
export async function imageExtension(bytes: Uint8Array): Promise<string> {
  const own = ownFormatOf(bytes);
  if (own !== undefined) return own.extension;
  const sharp = await loadSharp();
  try {
    const { format, compression } = await sharp(bytes).metadata();
    if (format === 'jpeg') return '.jpg';
    return format === 'heif' && compression === 'av1' ? '.avif' : `.${format}`;
  } catch (cause) {
    throw new PermafrostError('IMAGE_UNDECODABLE', 'The bytes are no picture that is decoded here.', { cause });
  }
}
