import { PermafrostError } from '../../../core/errors.ts';
import type { SampleKind, Special } from './special.ts';
import { hasTiffSignature, readTiffDirectory, TIFF_TAG, type TiffDirectory } from './tiff-directory.ts';
import { damagedPart, isLongCheck } from './tiff-tiles.ts';
import { PLAIN_YCBCR } from './ycbcr.ts';

/** Values of tags (TIFF 6.0 and its supplements). */
const UNCOMPRESSED = 1;
const OLD_JPEG = 6;
const JPEG = 7;
const YCBCR = 6;
const GREY: readonly number[] = [0, 1];
const LOG_LUV: readonly number[] = [32844, 32845];
const FLOAT = 3;

function refuse(reason: string): never {
  throw new PermafrostError('IMAGE_UNDECODABLE', reason);
}

function samplesOf(directory: TiffDirectory, bits: readonly number[]): SampleKind | undefined {
  const first = (tag: number): number | undefined => directory.numbers(tag)?.[0];
  const photometric = first(TIFF_TAG.photometric) ?? 0;
  const compression = first(TIFF_TAG.compression) ?? UNCOMPRESSED;
  if (GREY.includes(photometric) && bits.length === 1 && bits[0] === 16) return { kind: 'grey16' };
  // The library asks libtiff for colours where they are JPEG or share samples (2 x 2, the default), and else for none.
  const shares = directory.numbers(TIFF_TAG.yCbCrSubsampling) ?? [2, 2];
  if (photometric !== YCBCR || compression === JPEG || shares.some((share) => share !== 1)) return undefined;
  if (bits.some((of) => of !== 8)) refuse(`Its colours are YCbCr of ${bits[0]} bits; 8 bits are read. Save it as RGB.`);
  const luma = directory.numbers(TIFF_TAG.yCbCrCoefficients);
  const blackWhite = directory.numbers(TIFF_TAG.referenceBlackWhite);
  const meaning = {
    luma: luma?.length === 3 ? luma : PLAIN_YCBCR.luma,
    blackWhite: blackWhite?.length === 6 ? blackWhite : PLAIN_YCBCR.blackWhite,
  };
  return { kind: 'ycbcr', meaning, isCompressed: compression !== UNCOMPRESSED };
}

/** What is special about a TIFF; undefined for other bytes. Throws IMAGE_UNDECODABLE for what is damaged or misread. */
export function tiffSpecial(bytes: Uint8Array): Special | undefined {
  const directory = readTiffDirectory(bytes);
  if (directory === undefined) {
    if (hasTiffSignature(bytes)) refuse('It is a TIFF that is cut off: its directory lies behind the end of the file.');
    return undefined;
  }
  const bits = directory.numbers(TIFF_TAG.bitsPerSample) ?? [1];
  if (
    directory.numbers(TIFF_TAG.sampleFormat)?.includes(FLOAT) === true ||
    LOG_LUV.includes(directory.numbers(TIFF_TAG.photometric)?.[0] ?? 0)
  )
    refuse('Its samples are float numbers whose black and white nobody tells. Save it with 8 or 16 bits.');
  if (directory.numbers(TIFF_TAG.compression)?.[0] === OLD_JPEG)
    refuse('It is compressed as "old-style JPEG" (TIFF 6.0), which is not decoded. Save it with another compression.');
  const part = damagedPart(bytes, directory);
  if (part !== undefined) refuse(`It is damaged: its ${part} cannot be read.`);
  const samples = samplesOf(directory, bits);
  return { loadsUpright: true, stopAtErrors: true, ...(samples && { samples }) };
}

/** What of a TIFF decides where it is decoded; undefined for other bytes, and where its directory is cut off. */
export function tiffCost(bytes: Uint8Array): { readonly pixels: number; readonly isLong: boolean } | undefined {
  const directory = readTiffDirectory(bytes);
  if (directory === undefined) return undefined;
  const [width = 0, length = 0] = [TIFF_TAG.width, TIFF_TAG.length].map((tag) => directory.numbers(tag)?.[0]);
  return { pixels: width * length, isLong: isLongCheck(directory) };
}
