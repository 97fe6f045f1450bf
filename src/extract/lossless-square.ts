import { PermafrostError, reasonOf } from '../core/errors.ts';
import { loadSharp } from './image/sharp.ts';

/** A square of `size` pixels a side, uint8 RGB, as a lossless WebP file. */
export async function toLossless(square: Uint8Array, size: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(square, { raw: { width: size, height: size, channels: 3 } })
    .webp({ lossless: true })
    .toBuffer();
}

/** The square that `toLossless` wrote, to the last bit. Throws IMAGE_UNDECODABLE for anything else. */
export async function fromLossless(file: Uint8Array, size: number): Promise<Uint8Array> {
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(file, { limitInputPixels: size ** 2 })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { format } = await sharp(file).metadata();
    if (format === 'webp' && info.width === size && info.height === size && info.channels === 3) return data;
    throw new Error(`it is ${format}, ${info.width} x ${info.height} of ${info.channels} channels`);
  } catch (cause) {
    throw new PermafrostError(
      'IMAGE_UNDECODABLE',
      `A kept square is no lossless WebP of ${size} x ${size} pixels: ${reasonOf(cause)}.`,
      { cause },
    );
  }
}
