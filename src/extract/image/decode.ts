import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import { ownFormatOf } from './formats/index.ts';
import { placement, resizeNearest } from './geometry.ts';
import { plainJpegHeader, type ImageHeader } from './jpeg-header.ts';
import { IMAGE_TIMEOUT_MS, MAX_PIXELS } from './limits.ts';
import { pictureOf } from './picture.ts';
import { resample } from './resample.ts';
import { loadSharp } from './sharp.ts';
import { whatIsWrong } from './what-is-wrong.ts';

export { MAX_PIXELS };
export type { ImageHeader };

const KERNELS = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;

/** Reads the header alone. Throws IMAGE_UNDECODABLE for unknown bytes and above `mostPixels`, by default MAX_PIXELS. */
export async function readHeader(bytes: Uint8Array, mostPixels: number = MAX_PIXELS): Promise<ImageHeader> {
  if (bytes.length === 0) throw new PermafrostError('IMAGE_UNDECODABLE', 'The file is empty (0 bytes).');
  const plain = plainJpegHeader(bytes);
  if (plain !== undefined) return withFewPixels(plain, mostPixels);
  const own = ownFormatOf(bytes);
  if (own !== undefined) return withFewPixels(await own.header(bytes), mostPixels);
  const sharp = await loadSharp();
  try {
    // Its pixels are counted here, with a reason.
    const facts = await sharp(bytes, { limitInputPixels: false }).metadata();
    const { width, height, orientation = 1, hasAlpha, depth, space } = facts;
    withFewPixels({ width, height }, mostPixels);
    // Measurements rather than pictures: libvips would cut them to 0..255 and show black or white.
    if (!['uchar', 'ushort'].includes(depth) && space !== 'scrgb')
      throw new Error(
        `Its samples are ${depth} numbers whose black and white nobody tells. Save it with 8 or 16 bits.`,
      );
    return { width, height, orientation, hasAlpha };
  } catch (cause) {
    throw cause instanceof PermafrostError ? cause : whatIsWrong(cause);
  }
}

/** The same header, unless it announces more pixels than are decoded. */
function withFewPixels<H extends { readonly width: number; readonly height: number }>(header: H, most: number): H {
  const { width, height } = header;
  if (width * height <= most) return header;
  throw new PermafrostError(
    'IMAGE_UNDECODABLE',
    `It has ${width} x ${height} pixels, above the ${most} that are decoded. Make it smaller.`,
  );
}

/**
 * Decodes an image into the contract's square: uint8 RGB, shape (size, size, 3). Grey, palette, CMYK and 16-bit images
 * become 8-bit RGB; of an animation the first frame counts. ICC profiles do not touch the pixels: a JPEG decodes to
 * Pillow's bytes. sharp is stopped after `timeoutMs` where it can be. Throws IMAGE_UNDECODABLE for broken or truncated
 * files, and for those that take longer.
 */
export async function decode(
  bytes: Uint8Array,
  header: ImageHeader,
  contract: Contract,
  timeoutMs: number = IMAGE_TIMEOUT_MS,
): Promise<Uint8Array> {
  const turn = contract.orientation === 'exif' && header.orientation > 1;
  const sideways = turn && header.orientation >= 5;
  const [width, height] = sideways ? [header.height, header.width] : [header.width, header.height];
  const place = placement(contract, width, height);
  const { size, kernel } = contract;

  let image = (await pictureOf(bytes, timeoutMs)).keepIccProfile();
  if (turn) image = image.autoOrient();
  if (header.hasAlpha && contract.alpha === 'white') image = image.flatten({ background: '#ffffff' });
  // sharp resizes off this thread, but only shrinks as Pillow does: enlarged pictures come out half a pixel further
  // right and down (0.35.5). And it would weigh by alpha the colours that are kept whatever their alpha.
  const shrinks = place.width <= width && place.height <= height;
  const bySharp = kernel !== 'nearest' && shrinks && !(header.hasAlpha && contract.alpha === 'drop');
  if (bySharp) {
    image = image
      .resize(place.width, place.height, { fit: 'fill', kernel: KERNELS[kernel], fastShrinkOnLoad: false })
      .extract({ left: place.left, top: place.top, width: size, height: size });
  }
  try {
    const { data, info } = await image
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (bySharp) return data;
    const source = { data, width: info.width, height: info.height, channels: info.channels };
    return kernel === 'nearest' ? resizeNearest(source, place, size) : resample(source, place, size, kernel);
  } catch (cause) {
    throw cause instanceof PermafrostError ? cause : whatIsWrong(cause, timeoutMs);
  }
}
