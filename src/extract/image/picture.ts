import type { Contract } from '../../core/contract.ts';
import { cmykConversion } from './formats/cmyk.ts';
import { gifOfOneFrame, filledGif } from './formats/gif.ts';
import { GREY16_CLIPPED } from './formats/grey16.ts';
import { LIMITED_GREY } from './formats/limited-grey.ts';
import type { Conversion } from './formats/samples.ts';
import type { SampleKind } from './formats/special.ts';
import { yCbCrConversion } from './formats/ycbcr.ts';
import type { ImageHeader } from './jpeg-header.ts';
import { IMAGE_TIMEOUT_MS } from './isolated/limits.ts';
import { ownFormatOf } from './own-formats/index.ts';
import { loadSharp, type SharpImage } from './sharp.ts';
import { turn } from './turn.ts';

/** Most pixels of a decoded picture: 2^28, a square of 16,384. More is a mistake or a "decompression bomb". */
export const MAX_PIXELS = 2 ** 28;

/** How a picture is taken from its file: the part of a contract that all pixels depend on. */
export interface Look extends Pick<Contract, 'orientation' | 'alpha'> {
  readonly iccProfile: 'ignore' | 'apply';
}

/** As viewers show a picture to people. */
export const SEEN: Look = { orientation: 'exif', alpha: 'white', iccProfile: 'apply' };

/** Under `drop` files are taken as Pillow's convert("RGB") takes them, also where a viewer shows other colours. */
const asPillow = ({ alpha }: Look): boolean => alpha === 'drop';

/** Whether the picture is turned by its orientation. */
export const isTurned = ({ orientation, special }: ImageHeader, look: Look): boolean =>
  orientation > 1 && (look.orientation === 'exif' || special?.loadsUpright === true);

const WHITE = [255, 255, 255] as const;

/** The library's own colours, where a picture is only turned here. */
const AS_IT_IS: Conversion = {
  space: 'srgb',
  depth: 'uchar',
  toRgb: ({ data, width, height, channels }) => ({
    data: data as Uint8Array,
    width,
    height,
    channels: channels === 4 ? 4 : 3,
  }),
};

/** How the samples become RGB; undefined where the library's own way is right. */
function conversionOf(samples: SampleKind | undefined, look: Look): Conversion | undefined {
  switch (samples?.kind) {
    case undefined:
      return undefined;
    case 'cmyk':
      // Viewers show inks by their profile, where there is one; Pillow never does.
      return samples.hasProfile && !asPillow(look) ? undefined : cmykConversion(samples.depth);
    case 'grey16':
      return asPillow(look) ? GREY16_CLIPPED : undefined;
    case 'ycbcr':
      return yCbCrConversion(asPillow(look) && !samples.isCompressed ? undefined : samples.meaning);
    case 'limited-grey':
      return LIMITED_GREY;
    case 'gif':
      if (asPillow(look)) return filledGif(samples.frame, samples.frame.around);
      // Viewers see through what no frame covers, as through transparent colours, which the library knows of.
      return samples.frame.fills || samples.frame.isVeiled ? undefined : filledGif(samples.frame, WHITE);
  }
}

/**
 * Opens a picture for decoding: upright where the look or its file asks for it, its colours RGB once they are brought
 * into `srgb`. What is extracted and what is shown to people comes from here. libvips is stopped after `timeoutMs`,
 * between two lines of a picture; what is no format of its own is decoded here and now.
 */
export async function openPicture(
  bytes: Uint8Array,
  header: ImageHeader,
  look: Look,
  timeoutMs: number = IMAGE_TIMEOUT_MS,
): Promise<SharpImage> {
  const sharp = await loadSharp();
  const timeout = { seconds: Math.ceil(timeoutMs / 1000) };
  const own = await ownFormatOf(bytes)?.pixels(bytes, asPillow(look));
  if (own !== undefined) {
    const { data, width, height, channels } = own;
    return sharp(data, { raw: { width, height, channels }, limitInputPixels: MAX_PIXELS }).timeout(timeout);
  }
  const { special } = header;
  const samples = special?.samples;
  const file = samples?.kind === 'gif' ? gifOfOneFrame(bytes, samples.frame, asPillow(look)) : bytes;
  const failOn = special?.stopAtErrors === true ? 'error' : 'truncated';
  let image = sharp(file, { failOn, limitInputPixels: MAX_PIXELS }).timeout(timeout);
  // The profiles of inks always count: without one nobody knows their colours.
  if (samples?.kind !== 'cmyk' && look.iccProfile === 'ignore') image = image.keepIccProfile();
  const isRight = isTurned(header, look);
  const conversion = conversionOf(samples, look);
  if (conversion === undefined && (!isRight || special?.orientation === undefined))
    return isRight ? image.autoOrient() : image;

  const { space, depth, toRgb } = conversion ?? AS_IT_IS;
  if (conversion !== undefined) image = image.keepIccProfile();
  if (space !== 'srgb') image = image.pipelineColourspace(space);
  const { data, info } = await image.toColourspace(space).raw({ depth }).toBuffer({ resolveWithObject: true });
  const numbers = depth === 'ushort' ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const rgb = toRgb({ data: numbers, width: info.width, height: info.height, channels: info.channels });
  const { width, height, channels, data: upright } = isRight ? turn(rgb, header.orientation) : rgb;
  return sharp(upright, { raw: { width, height, channels }, limitInputPixels: MAX_PIXELS });
}
