/** An image's header. Width and height in pixels as stored; `orientation` is EXIF's, 1 to 8. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly orientation: number;
  readonly hasAlpha: boolean;
}

/** The marker SOI and the first byte of the next one (ITU-T T.81, B.1.1.3). */
const START = [0xff, 0xd8, 0xff] as const;
/** SOF0, SOF1, SOF2: baseline, extended and progressive, Huffman-coded. */
const FRAMES: readonly number[] = [0xc0, 0xc1, 0xc2];
const START_OF_SCAN = 0xda;
const END = 0xd9;
const APP1 = 0xe1;
const EXIF = 'Exif\0\0';
/** Exif 2.32, section 4.6.4: the tag Orientation, one SHORT. */
const [ORIENTATION, SHORT] = [0x0112, 3];

/** The orientation in an EXIF block (a TIFF header and its directory), 1 by default; undefined for a complex one. */
function orientationIn(exif: DataView): number | undefined {
  if (exif.byteLength < 14) return undefined;
  const order = exif.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return undefined;
  const little = order === 0x4949;
  const start = exif.getUint32(4, little);
  if (exif.getUint16(2, little) !== 42 || start < 8 || start + 2 > exif.byteLength) return undefined;
  const entries = exif.getUint16(start, little);
  if (start + 2 + entries * 12 > exif.byteLength) return undefined;
  let found: number | undefined;
  for (let at = start + 2; at < start + 2 + entries * 12; at += 12) {
    if (exif.getUint16(at, little) !== ORIENTATION) continue;
    const isPlain = exif.getUint16(at + 2, little) === SHORT && exif.getUint32(at + 4, little) === 1;
    if (!isPlain || found !== undefined) return undefined;
    found = exif.getUint16(at + 8, little);
  }
  return found !== undefined && found >= 1 && found <= 8 ? found : 1;
}

/**
 * Reads the header of a plain JPEG in microseconds: 8 bits a sample, grey or three colours, at most one well-formed
 * EXIF block. Undefined for all other bytes, which are for the image library to judge. Throws nothing.
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
    const isExif = marker === APP1 && EXIF.split('').every((c, i) => bytes[content + i] === c.charCodeAt(0));
    if (isExif) {
      const said = orientationIn(new DataView(bytes.buffer, bytes.byteOffset + content + 6, Math.max(0, length - 8)));
      if (said === undefined || orientation !== undefined) return undefined;
      orientation = said;
    }
    at = next;
  }
  return undefined;
}
