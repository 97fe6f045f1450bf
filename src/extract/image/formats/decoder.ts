import { damagedMarker } from './jpeg-scans.ts';
import { specialOf } from './special-of.ts';
import { hasTiffSignature } from './tiff-directory.ts';
import { plainJpegHeader } from '../jpeg-header.ts';

/**
 * The version of the decoder; raised whenever some kind of file gives other pixels, or none, under the same contract.
 *
 * - 2: TIFF; GIF with transparent colours, free ground or damage; CMYK JPEG; PNG of 16-bit grey or with an orientation
 *   behind the pixels, as text or in XMP; monochrome AVIF of limited range; XMP orientations; JPEG with damaged
 *   markers.
 */
export const DECODER = 2;

const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8;
const asText = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to);
const isWebp = (bytes: Uint8Array): boolean => asText(bytes, 0, 4) === 'RIFF' && asText(bytes, 8, 12) === 'WEBP';

/**
 * The version of the decoder since which a file of these bytes gives the pixels that it gives today: features that were
 * extracted by that version or a later one are still right. Looks at headers only.
 */
export function decoderOf(bytes: Uint8Array): number {
  if (isJpeg(bytes)) return damagedMarker(bytes) === undefined && plainJpegHeader(bytes) !== undefined ? 1 : DECODER;
  if (isWebp(bytes)) return asText(bytes, 0, bytes.length).includes('tiff:Orientation') ? DECODER : 1;
  if (hasTiffSignature(bytes)) return DECODER;
  try {
    const special = specialOf(bytes);
    const frame = special?.samples?.kind === 'gif' ? special.samples.frame : undefined;
    // Of several frames the first was taken before, too.
    const isOld = special === undefined || (frame !== undefined && frame.fills && !frame.isVeiled);
    return isOld ? 1 : DECODER;
  } catch {
    return DECODER; // Refused by its bytes: what was decoded before is not right.
  }
}
