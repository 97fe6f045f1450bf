import type { Contract } from '../core/contract.ts';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { dropAlpha, placement, resizeNearest } from './geometry.ts';
import { loadSharp } from './sharp.ts';

/** An image's header. Width and height in pixels as stored; `orientation` is EXIF's, 1 to 8. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly hasAlpha: boolean;
}

const KERNELS = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;

function undecodable(cause: unknown): PermafrostError {
  return new PermafrostError('IMAGE_UNDECODABLE', reasonOf(cause), { cause });
}

/** Reads the header alone. Throws IMAGE_UNDECODABLE where the bytes are no image that sharp knows. */
export async function readHeader(bytes: Uint8Array): Promise<ImageHeader> {
  if (bytes.length === 0) throw new PermafrostError('IMAGE_UNDECODABLE', 'The file is empty (0 bytes).');
  const sharp = await loadSharp();
  try {
    const { width, height, orientation = 1, hasAlpha } = await sharp(bytes).metadata();
    return { width, height, orientation, hasAlpha };
  } catch (cause) {
    throw undecodable(cause);
  }
}

/**
 * Decodes an image and brings it into the contract's square: uint8 RGB, shape (size, size, 3). Grey, palette, CMYK and 16-bit
 * images become 8-bit RGB; of an animation the first frame counts. ICC profiles do not touch the pixels: a JPEG decodes
 * to Pillow's bytes. Throws IMAGE_UNDECODABLE for broken or truncated files.
 */
export async function decode(
  bytes: Uint8Array,
  header: ImageHeader,
  contract: Contract,
): Promise<Uint8Array> {
  const sharp = await loadSharp();
  const turn = contract.orientation === 'exif' && header.orientation > 1;
  const sideways = turn && header.orientation >= 5;
  const [width, height] = sideways ? [header.height, header.width] : [header.width, header.height];
  const place = placement(contract, width, height);
  const { size, kernel } = contract;

  let image = sharp(bytes, { failOn: 'truncated' }).keepIccProfile();
  if (turn) image = image.autoOrient();
  if (header.hasAlpha && contract.alpha === 'white') image = image.flatten({ background: '#ffffff' });
  const resized = kernel !== 'nearest';
  // sharp weighs colours by alpha when it resizes; colours to be kept whatever their alpha are resized without it, below.
  const apart = resized && header.hasAlpha && contract.alpha === 'drop';
  const scale = (input: typeof image): typeof image =>
    kernel === 'nearest'
      ? input
      : input
          .resize(place.width, place.height, {
            fit: 'fill',
            kernel: KERNELS[kernel],
            fastShrinkOnLoad: false,
          })
          .extract({ left: place.left, top: place.top, width: size, height: size });
  try {
    const whole = apart ? image : scale(image);
    const { data, info } = await whole
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (resized && !apart) return data;
    const { width: w, height: h, channels } = info;
    if (!resized) return resizeNearest({ data, width: w, height: h, channels }, place, size);
    return await scale(sharp(dropAlpha(data), { raw: { width: w, height: h, channels: 3 } }))
      .raw()
      .toBuffer();
  } catch (cause) {
    throw undecodable(cause);
  }
}
