import { inflateSync } from 'node:zlib';
import { exifOrientation, xmpOrientation } from './exif-orientation.ts';
import type { Special } from './special.ts';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
/** Longest metadata that is read, in bytes: an orientation stands in a few. */
const MOST_TEXT = 2 ** 20;
/** Keywords under which ImageMagick and others keep EXIF blocks as text. */
const RAW_PROFILES: readonly string[] = ['Raw profile type exif', 'Raw profile type APP1'];
const XMP_KEYWORD = 'XML:com.adobe.xmp';

/** Where an orientation can stand, what Pillow prefers first. */
interface Found {
  exif?: number | undefined;
  raw?: number | undefined;
  xmp?: number | undefined;
}

const asView = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** An EXIF block's own bytes: some write the marker of JPEG before them. */
function exifIn(bytes: Buffer): number | undefined {
  return exifOrientation(asView(bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? bytes.subarray(6) : bytes));
}

/** Keyword and text of a chunk tEXt, zTXt or iTXt (PNG 3rd edition, 11.3.3); undefined where it is damaged. */
function textOf(type: string, data: Buffer): { readonly keyword: string; readonly text: Buffer } | undefined {
  const end = data.indexOf(0);
  if (end < 0) return undefined;
  const keyword = data.toString('latin1', 0, end);
  if (keyword !== XMP_KEYWORD && !RAW_PROFILES.includes(keyword)) return undefined;
  let at = end + 1;
  let isCompressed = type === 'zTXt';
  if (type === 'zTXt') at += 1;
  if (type === 'iTXt') {
    isCompressed = data[at] === 1;
    const language = data.indexOf(0, at + 2);
    const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
    if (translated < 0) return undefined;
    at = translated + 1;
  }
  const rest = data.subarray(at);
  try {
    return { keyword, text: isCompressed ? inflateSync(rest, { maxOutputLength: MOST_TEXT }) : rest };
  } catch {
    return undefined; // Damaged metadata is no damaged picture: Pillow and browsers show it.
  }
}

/** The orientation in a "Raw profile": a line with its kind, one with its length, then hexadecimal digits. */
function rawOrientation(text: Buffer): number | undefined {
  const [, hex] = /^\s*\w+\s+\d+\s+([\da-fA-F\s]+)$/.exec(text.toString('latin1')) ?? [];
  return hex === undefined ? undefined : exifIn(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
}

function read(type: string, data: Buffer, found: Found): void {
  if (type === 'eXIf') found.exif = exifIn(data);
  else if (data.length <= MOST_TEXT && ['tEXt', 'zTXt', 'iTXt'].includes(type)) {
    const text = textOf(type, data);
    if (text?.keyword === XMP_KEYWORD) found.xmp = xmpOrientation(text.text);
    else if (text !== undefined) found.raw ??= rawOrientation(text.text);
  }
}

/** What is special about a PNG: grey of 16 bits, or an orientation where the image library does not look. */
export function pngSpecial(bytes: Uint8Array): Special | undefined {
  if (bytes.length < 33 || SIGNATURE.some((byte, i) => bytes[i] !== byte)) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isGrey16 = buffer[24] === 16 && buffer[25] === 0;
  const found: Found = {};
  let [pixelsSeen, isLate] = [false, false];
  for (let at = 8; at + 12 <= buffer.length;) {
    const length = buffer.readUInt32BE(at);
    const type = buffer.toString('latin1', at + 4, at + 8);
    if (at + 12 + length > buffer.length || type === 'IEND') break;
    pixelsSeen ||= type === 'IDAT';
    isLate ||= type === 'eXIf' && pixelsSeen;
    if (type !== 'IDAT') read(type, buffer.subarray(at + 8, at + 8 + length), found);
    at += 12 + length;
  }
  const orientation = found.exif ?? found.raw ?? found.xmp ?? 1;
  const isElsewhere = orientation > 1 && (found.exif === undefined || isLate);
  if (!isGrey16 && !isElsewhere) return undefined;
  return { ...(isElsewhere && { orientation }), ...(isGrey16 && { samples: { kind: 'grey16' as const } }) };
}
