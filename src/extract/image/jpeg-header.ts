import { exifOrientation, xmpOrientation } from './formats/exif-orientation.ts';
import type { Special } from './formats/special.ts';

/** An image's header. Width and height in pixels as stored; `orientation` is EXIF's, 1 to 8. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly hasAlpha: boolean;
  /** What decoding must know beside; absent for ordinary files. */
  readonly special?: Special;
}

/** The marker SOI and the first byte of the next one (ITU-T T.81, B.1.1.3). */
const START = [0xff, 0xd8, 0xff] as const;
/** SOF0, SOF1, SOF2: baseline, extended and progressive, Huffman-coded. */
const FRAMES: readonly number[] = [0xc0, 0xc1, 0xc2];
const START_OF_SCAN = 0xda;
const END = 0xd9;
const APP1 = 0xe1;
const EXIF = 'Exif\0\0';
const XMP = 'http://ns.adobe.com/xap/1.0/\0';
/** Whether the bytes from `at` on are those of an ASCII text. */
function begins(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/**
 * Reads the header of a plain JPEG in microseconds: 8 bits a sample, grey or three colours, at most one well-formed
 * EXIF block, no orientation in XMP. Undefined for all other bytes, which are for the image library to judge. Throws
 * nothing.
 */
export function plainJpegHeader(bytes: Uint8Array): ImageHeader | undefined {
  if (START.some((byte, i) => bytes[i] !== byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let orientation: number | undefined;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1]!;
    const length = view.getUint16(at + 2);
    const content = at + 4;
    const next = at + 2 + length;
    if (bytes[at] !== 0xff || marker < 0xc0 || length < 2 || next > bytes.length) return undefined;
    if (marker === START_OF_SCAN || marker === END) return undefined;
    if (FRAMES.includes(marker)) {
      const [height, width] = length < 8 ? [0, 0] : [view.getUint16(content + 1), view.getUint16(content + 3)];
      const isPlain = bytes[content] === 8 && [1, 3].includes(bytes[content + 5]!) && height > 0 && width > 0;
      return isPlain ? { width, height, orientation: orientation ?? 1, hasAlpha: false } : undefined;
    }
    if (marker === APP1 && begins(bytes, content, XMP)) {
      if (xmpOrientation(bytes.subarray(content, next)) !== undefined) return undefined;
    } else if (marker === APP1 && begins(bytes, content, EXIF)) {
      const said = exifOrientation(new DataView(bytes.buffer, bytes.byteOffset + content + 6, Math.max(0, length - 8)));
      if (said === undefined || orientation !== undefined) return undefined;
      orientation = said;
    }
    at = next;
  }
  return undefined;
}
