import { tiffCost } from '../formats/tiff.ts';
import { ownFormatOf } from '../own-formats/index.ts';

const textAt = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', from, to);

/** libvips looks for the tag in the first 1,000 bytes, and into compressed files. */
const mayBeSvg = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0x1f && bytes[1] === 0x8b) || /<svg/i.test(textAt(bytes, 0, 1024));

/** AVIF and HEIC: each of their pictures is decoded in one step. */
const isBoxes = (bytes: Uint8Array): boolean => textAt(bytes, 4, 8) === 'ftyp';

/** Chunks whose content is compressed beside the pixels, and bytes of them that unfold within a second. */
const PACKED_CHUNKS = ['zTXt', 'iTXt', 'iCCP'].map((type) => Buffer.from(type, 'latin1').readUInt32BE());
const MOST_PACKED = 2 ** 16;

/** A PNG with much compressed text, which the library unfolds in one step: a kilobyte may stand for a megabyte. */
function isPackedPng(bytes: Uint8Array): boolean {
  if (textAt(bytes, 1, 4) !== 'PNG') return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let packed = 0;
  for (let at = 8; at + 12 <= bytes.length && packed <= MOST_PACKED;) {
    const length = view.getUint32(at);
    if (PACKED_CHUNKS.includes(view.getUint32(at + 4))) packed += length;
    at += 12 + length;
  }
  return packed > MOST_PACKED;
}

/** Encoders write about ten scans into a progressive JPEG; each goes over the whole picture. */
const MOST_SCANS = 24;

function isManyScansJpeg(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mark = Buffer.of(0xff, 0xda);
  let scans = 0;
  for (let at = file.indexOf(mark); at >= 0 && scans <= MOST_SCANS; at = file.indexOf(mark, at + 2)) scans++;
  return scans > MOST_SCANS;
}

/**
 * Whether only the end of a process ends the decoding of this file. The others (JPEG, PNG, WebP, GIF, TIFF) libvips
 * makes line by line and stops between two of them, or they are no image.
 */
export function isForAProcess(bytes: Uint8Array): boolean {
  return (
    mayBeSvg(bytes) ||
    isBoxes(bytes) ||
    ownFormatOf(bytes) !== undefined ||
    isPackedPng(bytes) ||
    isManyScansJpeg(bytes) ||
    tiffCost(bytes)?.isLong === true
  );
}
