import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import { coveredPart, cutOut, layGround, placement, resizeNearest, type Placement, type Source } from './geometry.ts';
import { gifOfOneFrame } from './formats/gif.ts';
import { xmpOrientation } from './formats/exif-orientation.ts';
import { damagedMarker } from './formats/jpeg-scans.ts';
import type { Special } from './formats/special.ts';
import { specialOf } from './formats/special-of.ts';
import { plainJpegHeader, type ImageHeader } from './jpeg-header.ts';
import { interpolate } from './interpolate.ts';
import { isTurned, MAX_PIXELS, openPicture, type Look } from './picture.ts';
import { IMAGE_TIMEOUT_MS } from './isolated/limits.ts';
import { ownFormatOf } from './own-formats/index.ts';
import { resample } from './resample.ts';
import { loadSharp, type SharpImage } from './sharp.ts';
import { whatIsWrong } from './what-is-wrong.ts';

export { MAX_PIXELS, type ImageHeader };

const KERNELS = { bilinear: 'linear', bicubic: 'cubic', lanczos: 'lanczos3' } as const;

/** Reads the header alone. Throws IMAGE_UNDECODABLE for unknown bytes and above `mostPixels`, by default MAX_PIXELS. */
export async function readHeader(bytes: Uint8Array, mostPixels: number = MAX_PIXELS): Promise<ImageHeader> {
  if (bytes.length === 0) throw new PermafrostError('IMAGE_UNDECODABLE', 'The file is empty (0 bytes).');
  const marker = damagedMarker(bytes);
  if (marker !== undefined)
    throw new PermafrostError(
      'IMAGE_UNDECODABLE',
      `It is damaged: the marker 0x${marker.toString(16)} stands in the middle of its pixels.`,
    );
  const plain = plainJpegHeader(bytes);
  if (plain !== undefined) return withFewPixels(plain, mostPixels);
  const own = ownFormatOf(bytes);
  if (own !== undefined) return withFewPixels(await own.header(bytes), mostPixels);
  const special = specialOf(bytes);
  const sharp = await loadSharp();
  try {
    const first = special?.samples?.kind === 'gif' ? gifOfOneFrame(bytes, special.samples.frame, false) : bytes;
    // Its pixels are counted here, with a reason.
    const facts = await sharp(first, { limitInputPixels: false }).metadata();
    const { width, height, hasAlpha, depth, space } = facts;
    withFewPixels({ width, height }, mostPixels);
    // Measurements rather than pictures: libvips would cut them to 0..255 and show black or white.
    if (!['uchar', 'ushort'].includes(depth) && space !== 'scrgb')
      throw new Error(
        `Its samples are ${depth} numbers whose black and white nobody tells. Save it with 8 or 16 bits.`,
      );
    const fromXmp = facts.orientation === undefined ? xmpOrientation(facts.xmp) : undefined;
    const elsewhere = special?.orientation ?? fromXmp;
    const orientation = elsewhere ?? facts.orientation ?? 1;
    const all: Special = {
      ...special,
      ...(elsewhere !== undefined && { orientation: elsewhere }),
      ...(space === 'cmyk' && {
        samples: { kind: 'cmyk', hasProfile: facts.hasProfile, depth: depth === 'ushort' ? 'ushort' : 'uchar' },
      }),
    };
    const header = { width, height, orientation, hasAlpha };
    return Object.keys(all).length === 0 ? header : { ...header, special: all };
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
 * A picture as people are to see it, made by `make` from what is decoded for extraction too: where an image is
 * extracted it can be shown. Throws IMAGE_UNDECODABLE.
 */
export async function show<T>(bytes: Uint8Array, look: Look, make: (picture: SharpImage) => Promise<T>): Promise<T> {
  const header = await readHeader(bytes);
  return inWords(IMAGE_TIMEOUT_MS, async () => make(await openPicture(bytes, header, look)));
}

/**
 * Decodes an image into the contract's square: uint8 RGB, shape (size, size, 3). Grey, palette, CMYK and 16-bit images
 * become 8-bit RGB; of an animation the first frame counts. ICC profiles do not touch the pixels: a JPEG decodes to
 * Pillow's bytes. libvips is stopped after `timeoutMs` where it can be (open-image.ts for the rest). Throws
 * IMAGE_UNDECODABLE for broken or truncated files, and for those that take longer.
 */
export function decode(
  bytes: Uint8Array,
  header: ImageHeader,
  contract: Contract,
  timeoutMs: number = IMAGE_TIMEOUT_MS,
): Promise<Uint8Array> {
  return inWords(timeoutMs, () => decodeNow(bytes, header, contract, timeoutMs));
}

/** Runs what decodes a picture. Throws IMAGE_UNDECODABLE for what the library says of it. */
async function inWords<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof PermafrostError ? cause : whatIsWrong(cause, timeoutMs);
  }
}

async function decodeNow(
  bytes: Uint8Array,
  header: ImageHeader,
  contract: Contract,
  timeoutMs: number,
): Promise<Uint8Array> {
  const sideways = isTurned(header, contract) && header.orientation >= 5;
  const [width, height] = sideways ? [header.height, header.width] : [header.width, header.height];
  const picture = await openPicture(bytes, header, contract, timeoutMs);
  return inSquare(picture, { width, height, hasAlpha: header.hasAlpha }, contract);
}

/**
 * Pixels that are decoded already, into the contract's square as a lossless PNG of them would be: uint8 RGB, shape
 * (size, size, 3). Throws IMAGE_UNDECODABLE for a wrong number of bytes, and above MAX_PIXELS.
 */
export function decodePixels(
  { data, width, height, channels }: Source,
  contract: Contract,
  timeoutMs: number = IMAGE_TIMEOUT_MS,
): Promise<Uint8Array> {
  return inWords(timeoutMs, async () => {
    requirePixels({ data, width, height, channels });
    withFewPixels({ width, height }, MAX_PIXELS);
    const place = placement(contract, width, height);
    const cut = cutOut({ data, width, height, channels }, place, contract.size);
    if (cut !== undefined) return cut;
    const sharp = await loadSharp();
    const raw = { width, height, channels: channels as 3 | 4 };
    const picture = sharp(data, { raw, limitInputPixels: MAX_PIXELS }).timeout({
      seconds: Math.ceil(timeoutMs / 1000),
    });
    return inSquare(picture, { width, height, hasAlpha: channels === 4 }, contract);
  });
}

/** Throws IMAGE_UNDECODABLE unless there are as many bytes as pixels of so many channels take. */
function requirePixels({ data, width, height, channels }: Source): void {
  const isCount = (n: number): boolean => Number.isInteger(n) && n > 0;
  if (isCount(width) && isCount(height) && (channels === 3 || channels === 4)) {
    const needed = width * height * channels;
    if (data.length === needed) return;
    throw new PermafrostError(
      'IMAGE_UNDECODABLE',
      `It has ${data.length} bytes, and ${width} x ${height} pixels of ${channels} channels are ${needed}.`,
    );
  }
  throw new PermafrostError(
    'IMAGE_UNDECODABLE',
    `Pixels have a width and a height above 0, and 3 or 4 channels (RGB, RGBA); got ${width} x ${height} and ${channels}.`,
  );
}

/** A picture, upright, of these pixels, in the contract's square. */
async function inSquare(
  picture: SharpImage,
  { width, height, hasAlpha }: Pick<ImageHeader, 'width' | 'height' | 'hasAlpha'>,
  contract: Contract,
): Promise<Uint8Array> {
  const place = placement(contract, width, height);
  const part = coveredPart(place, contract.size);
  let image = picture;
  if (hasAlpha && contract.alpha === 'white') image = image.flatten({ background: '#ffffff' });
  // sharp resizes off this thread, but only shrinks as Pillow does: enlarged pictures come out half a pixel further
  // right and down (0.35.5). And it would weigh by alpha the colours that are kept whatever their alpha.
  const shrinks = place.width <= width && place.height <= height;
  const { size, kernel } = contract;
  const isSmooth = kernel !== 'nearest' && contract.antialias !== false;
  const bySharp = isSmooth && contract.rounding !== 'pillow' && shrinks && !(hasAlpha && contract.alpha === 'drop');
  if (bySharp) {
    image = image
      .resize(place.width, place.height, { fit: 'fill', kernel: KERNELS[kernel], fastShrinkOnLoad: false })
      .extract({ left: place.left + part.x, top: place.top + part.y, width: part.width, height: part.height });
    const [right, bottom] = [size - part.x - part.width, size - part.y - part.height];
    if (part.x + part.y + right + bottom > 0)
      image = image.extend({ left: part.x, top: part.y, right, bottom, background: '#000000' });
  }
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const square = bySharp
    ? data
    : resized({ data, width: info.width, height: info.height, channels: info.channels }, place, contract);
  if (contract.pad !== undefined) layGround(square, size, part, contract.pad);
  return square;
}

/** The contract's square of a decoded image, by the kernel that it names. */
function resized(source: Source, place: Placement, { size, kernel, antialias }: Contract): Uint8Array {
  if (kernel === 'nearest') return resizeNearest(source, place, size);
  return antialias === false ? interpolate(source, place, size, kernel) : resample(source, place, size, kernel);
}
