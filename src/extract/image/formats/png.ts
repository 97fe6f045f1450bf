import { inflateSync } from 'node:zlib';
import { exifOrientation, xmpOrientation } from './exif-orientation.ts';
import type { Special } from './special.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** Longest metadata that is read, in bytes, of all chunks together: an orientation stands in a few. */
const MOST_TEXT = 2 ** 20;
/** Keywords under which ImageMagick and others keep EXIF blocks as text. */
const RAW_PROFILES: readonly string[] = ['Raw profile type exif', 'Raw profile type APP1'];
const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** Where an orientation can stand, what Pillow prefers first; and bytes of text that may still be unfolded. */
interface Found {
  exif?: number | undefined;
  raw?: number | undefined;
  xmp?: number | undefined;
  left: number;
}

/** The type of a chunk as the number that its four letters are. */
const chunkType = (letters: string): number => Buffer.from(letters, 'latin1').readUInt32BE();
const [IDAT, IEND, EXIF, T_EXT, Z_TXT, I_TXT] = ['IDAT', 'IEND', 'eXIf', 'tEXt', 'zTXt', 'iTXt'].map(chunkType);

const asView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** An EXIF block's own bytes: some write the marker of JPEG before them. */
function exifIn(bytes: Buffer): number | undefined {
  return exifOrientation(asView(bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? bytes.subarray(6) : bytes));
}

/** The most bytes that one byte of deflated data stands for. */
const MOST_UNFOLDED = 1032;

/**
 * Keyword and text of a chunk tEXt, zTXt or iTXt (PNG 3rd edition, 11.3.3), taken from the bytes that are left;
 * undefined where it is damaged, or unfolds to more.
 */
function textOf(
  type: number,
  data: Buffer,
  found: Found,
): { readonly keyword: string; readonly text: Buffer } | undefined {
  const end = data.indexOf(0);
  if (end < 0) return undefined;
  const keyword = data.toString('latin1', 0, end);
  if (keyword !== XMP_KEYWORD && !RAW_PROFILES.includes(keyword)) return undefined;
  let at = end + 1;
  let isCompressed = type === Z_TXT;
  if (type === Z_TXT) at += 1;
  if (type === I_TXT) {
    isCompressed = data[at] === 1;
    const language = data.indexOf(0, at + 2);
    const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
    if (translated < 0) return undefined;
    at = translated + 1;
  }
  const rest = data.subarray(at);
  try {
    const text = isCompressed ? inflateSync(rest, { maxOutputLength: found.left }) : rest;
    found.left -= text.length;
    return { keyword, text };
  } catch {
    found.left -= Math.min(found.left, MOST_UNFOLDED * rest.length);
    return undefined; // Damaged metadata is no damaged picture: Pillow and browsers show it.
  }
}

/** The orientation in a "Raw profile": a line with its kind, one with its length, then hexadecimal digits. */
function rawOrientation(text: Buffer): number | undefined {
  const whole = text.toString('latin1');
  // In two steps: one expression for all would try each of many blanks as the end of the head.
  const [head] = /^\s*\w+\s+\d+\s+/.exec(whole) ?? [];
  const hex = head === undefined ? '' : whole.slice(head.length);
  return /^[\da-fA-F\s]+$/.test(hex) ? exifIn(Buffer.from(hex.replace(/\s/g, ''), 'hex')) : undefined;
}

function read(type: number, data: Buffer, found: Found): void {
  if (type === EXIF) found.exif = exifIn(data);
  else if ((type === T_EXT || type === Z_TXT || type === I_TXT) && data.length < found.left) {
    const text = textOf(type, data, found);
    if (text?.keyword === XMP_KEYWORD) found.xmp = xmpOrientation(text.text);
    else if (text !== undefined) found.raw ??= rawOrientation(text.text);
  }
}

/** What is special about a PNG: grey of 16 bits, or an orientation where the image library does not look. */
export function pngSpecial(bytes: Uint8Array): Special | undefined {
  if (bytes.length < 33 || SIGNATURE.some((byte, i) => bytes[i] !== byte)) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isGrey16 = buffer[24] === 16 && buffer[25] === 0;
  const found: Found = { left: MOST_TEXT };
  let [pixelsSeen, isLate] = [false, false];
  for (let at = 8; at + 12 <= buffer.length;) {
    const length = buffer.readUInt32BE(at);
    const type = buffer.readUInt32BE(at + 4);
    if (at + 12 + length > buffer.length || type === IEND) break;
    pixelsSeen ||= type === IDAT;
    isLate ||= type === EXIF && pixelsSeen;
    if (type !== IDAT) read(type, buffer.subarray(at + 8, at + 8 + length), found);
    at += 12 + length;
  }
  const orientation = found.exif ?? found.raw ?? found.xmp ?? 1;
  const isElsewhere = orientation > 1 && (found.exif === undefined || isLate);
  if (!isGrey16 && !isElsewhere) return undefined;
  return { ...(isElsewhere && { orientation }), ...(isGrey16 && { samples: { kind: 'grey16' as const } }) };
}
