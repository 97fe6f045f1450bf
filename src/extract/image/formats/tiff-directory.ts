/** The first directory of a TIFF: what describes its first picture. */
export interface TiffDirectory {
  /** The numbers of a tag; undefined where the tag is not there, is no number, or has more than `most` (default 64). */
  numbers(tag: number, most?: number): readonly number[] | undefined;
}

/** The tags that are read (TIFF 6.0, appendix A). */
export const TIFF_TAG = {
  width: 256,
  length: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planar: 284,
  tileWidth: 322,
  tileLength: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  sampleFormat: 339,
  yCbCrCoefficients: 529,
  yCbCrSubsampling: 530,
  referenceBlackWhite: 532,
} as const;

/** Bytes of a number of each type that is read: BYTE, SHORT, LONG, RATIONAL, FLOAT, DOUBLE, LONG8. */
const SIZES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 5: 8, 11: 4, 12: 8, 16: 8 };
const MOST_NUMBERS = 64;

function numberAt(view: DataView, at: number, type: number, little: boolean): number {
  switch (type) {
    case 1:
      return view.getUint8(at);
    case 3:
      return view.getUint16(at, little);
    case 4:
      return view.getUint32(at, little);
    case 5:
      return view.getUint32(at, little) / view.getUint32(at + 4, little);
    case 11:
      return view.getFloat32(at, little);
    case 12:
      return view.getFloat64(at, little);
    default:
      return Number(view.getBigUint64(at, little));
  }
}

const SIGNATURES: readonly string[] = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'];

/** Whether the bytes begin as those of a TIFF or BigTIFF, in either order of bytes. */
export const hasTiffSignature = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && SIGNATURES.includes(String.fromCharCode(...bytes.subarray(0, 4)));

/** Reads the first directory of a TIFF or BigTIFF; undefined for other bytes, and where it is cut off. */
export function readTiffDirectory(bytes: Uint8Array): TiffDirectory | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!hasTiffSignature(bytes)) return undefined;
  const little = bytes[0] === 0x49;
  const isBig = view.getUint16(2, little) === 43;
  const [word, entryBytes] = isBig ? [8, 20] : [4, 12];
  const wordAt = (at: number): number => (isBig ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const entries = new Map<number, number>();
  try {
    const start = wordAt(isBig ? 8 : 4);
    const count = isBig ? wordAt(start) : view.getUint16(start, little);
    const first = start + (isBig ? 8 : 2);
    for (let i = 0, at = first; i < count; i++, at += entryBytes) {
      const tag = view.getUint16(at, little);
      if (!entries.has(tag)) entries.set(tag, at);
    }
  } catch {
    return undefined; // A RangeError: the directory lies outside of the file.
  }
  return {
    numbers(tag, most = MOST_NUMBERS) {
      const at = entries.get(tag);
      if (at === undefined) return undefined;
      try {
        const type = view.getUint16(at + 2, little);
        const count = wordAt(at + 4);
        const size = SIZES[type];
        if (size === undefined || count > most) return undefined;
        const value = at + 4 + word;
        const from = size * count <= word ? value : wordAt(value);
        return Array.from({ length: count }, (_, i) => numberAt(view, from + i * size, type, little));
      } catch {
        return undefined;
      }
    },
  };
}
