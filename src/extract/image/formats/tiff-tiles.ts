import { constants, inflateSync } from 'node:zlib';
import { damagedMarker } from './jpeg-scans.ts';
import { TIFF_TAG, type TiffDirectory } from './tiff-directory.ts';

/** Kinds of compression whose tiles are checked. */
const [NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS] = [1, 5, 7, 8, 32946, 32773];
const YCBCR = 6;
/** More tiles than any picture of 2^28 pixels in tiles of 16 x 16. */
const MOST_TILES = 2 ** 20;
/** Bytes of tiles that are looked at in passing: 20 ms. */
const FEW_BYTES = 2 ** 22;

/** Bytes that an LZW tile stands for (TIFF 6.0, section 13), up to `most`; less where it ends early or is damaged. */
function lzwBytes(tile: Uint8Array, most: number): number {
  // Files of before 1990 turn the bits round, as libtiff tells by these: their tiles are not judged.
  if (tile[0] === 0 && (tile[1]! & 1) === 1) return most;
  const [CLEAR, END, BITS] = [256, 257, 12];
  const lengths = new Int32Array(2 ** BITS).fill(1, 0, CLEAR);
  let [next, size, previous, bytes] = [END + 1, 9, -1, 0];
  let [buffer, buffered] = [0, 0];
  for (const byte of tile) {
    buffer = ((buffer << 8) | byte) & 0xffffff;
    buffered += 8;
    if (buffered < size) continue;
    buffered -= size;
    const code = (buffer >> buffered) & ((1 << size) - 1);
    if (code === END) return bytes;
    if (code === CLEAR) {
      [next, size, previous] = [END + 1, 9, -1];
      continue;
    }
    if (code > next || (previous < 0 && code > END) || (code === next && previous < 0)) return bytes;
    if (previous >= 0 && next < lengths.length) {
      lengths[next++] = lengths[previous]! + 1;
      if (next === (1 << size) - 1 && size < BITS) size++;
    }
    bytes += lengths[code]!;
    if (bytes >= most) return most;
    previous = code;
  }
  return bytes;
}

/** Bytes that a PackBits tile stands for (TIFF 6.0, section 9). */
function packedBytes(tile: Uint8Array): number {
  let bytes = 0;
  for (let at = 0; at < tile.length;) {
    const run = tile[at]!;
    if (run < 128 && at + 1 + run >= tile.length) return bytes; // Its literal bytes are cut off.
    if (run !== 128) bytes += run < 128 ? run + 1 : 257 - run;
    at += run < 128 ? run + 2 : run === 128 ? 1 : 2;
  }
  return bytes;
}

/** Room for what a deflated part holds beside its pixels: its checksum is read at its end alone. */
const withRoom = (most: number): { readonly maxOutputLength: number } => ({ maxOutputLength: 2 * most + 1024 });

function inflatedBytes(tile: Uint8Array, most: number): number {
  try {
    return inflateSync(tile, withRoom(most)).length;
  } catch {
    return 0;
  }
}

/**
 * Whether a deflated strip of at most `whole` bytes, of which `needed` are pixels, is damaged by its data, its checksum
 * or its length: the library stops where it has its pixels. Of one that ends early it tells, if it needs what is
 * missing; a last one may be filled up to a whole one.
 */
function isDamagedStrip(strip: Uint8Array, whole: number, needed: number): boolean {
  try {
    const { length } = inflateSync(strip, { ...withRoom(whole), finishFlush: constants.Z_SYNC_FLUSH });
    return length > needed && length !== whole;
  } catch {
    return true;
  }
}

/** The parts that a picture is stored in: tiles, or strips, each of `whole` bytes when it is decoded. */
interface Parts {
  readonly kind: 'tile' | 'strip';
  readonly offsets: readonly number[];
  readonly counts: readonly number[];
  readonly whole: number;
  /** Bytes of the last strip of the picture, or of each of its planes. */
  readonly last: number;
  readonly compression: number;
}

/** The parts of a picture whose damage the library does not tell; undefined where it does, and for broken directories. */
function partsOf(directory: TiffDirectory): Parts | undefined {
  const first = (tag: number, otherwise: number): number => directory.numbers(tag)?.[0] ?? otherwise;
  const compression = first(TIFF_TAG.compression, NONE);
  const samples = first(TIFF_TAG.planar, 1) === 2 ? 1 : first(TIFF_TAG.samplesPerPixel, 1);
  const bytesOf = (width: number, lines: number): number =>
    Math.ceil((width * samples * first(TIFF_TAG.bitsPerSample, 1)) / 8) * lines;
  const part = (
    kind: Parts['kind'],
    [offsetsTag, countsTag]: readonly [number, number],
    whole: number,
    last = whole,
  ): Parts | undefined => {
    const offsets = directory.numbers(offsetsTag, MOST_TILES);
    const counts = directory.numbers(countsTag, MOST_TILES);
    return offsets && counts && { kind, offsets, counts, whole, last, compression };
  };
  const tiles = part(
    'tile',
    [TIFF_TAG.tileOffsets, TIFF_TAG.tileByteCounts],
    bytesOf(first(TIFF_TAG.tileWidth, 0), first(TIFF_TAG.tileLength, 0)),
  );
  if (tiles !== undefined || (compression !== DEFLATE && compression !== OLD_DEFLATE)) return tiles;
  const lines = first(TIFF_TAG.length, 0);
  const rows = Math.max(1, Math.min(first(TIFF_TAG.rowsPerStrip, lines), lines));
  const [whole, last] = [rows, ((lines - 1) % rows) + 1].map((of) => bytesOf(first(TIFF_TAG.width, 0), of));
  return part('strip', [TIFF_TAG.stripOffsets, TIFF_TAG.stripByteCounts], whole!, last);
}

/** Whether looking for damage takes longer than a moment: that is for a process that can be ended. */
export function isLongCheck(directory: TiffDirectory): boolean {
  const parts = partsOf(directory);
  if (parts === undefined || parts.compression === NONE) return false;
  const { offsets, counts, whole } = parts;
  return offsets.length * whole + counts.reduce((sum, count) => sum + count, 0) > FEW_BYTES;
}

/**
 * The first tile or strip that is damaged or cut off, as "tile 3"; undefined where all are whole as far as can be told.
 * The image library paints such tiles black and tells nobody; of strips it tells, but for damage that a checksum alone
 * shows. Each part is looked at once, however many share it.
 */
export function damagedPart(bytes: Uint8Array, directory: TiffDirectory): string | undefined {
  const parts = partsOf(directory);
  if (parts === undefined) return undefined;
  const { kind, offsets, counts, compression } = parts;
  const sharesSamples = directory.numbers(TIFF_TAG.photometric)?.[0] === YCBCR;
  const whole = sharesSamples ? 1 : parts.whole;
  const planes =
    directory.numbers(TIFF_TAG.planar)?.[0] === 2 ? (directory.numbers(TIFF_TAG.samplesPerPixel)?.[0] ?? 1) : 1;
  const isLast = (i: number): boolean => (i + 1) % Math.ceil(offsets.length / planes) === 0;
  const isWhole = (part: Uint8Array, i: number): boolean => {
    if (kind === 'strip') return !isDamagedStrip(part, parts.whole, isLast(i) ? parts.last : parts.whole);
    switch (compression) {
      case NONE:
        return part.length >= whole;
      case LZW:
        return lzwBytes(part, whole) >= whole;
      case DEFLATE:
      case OLD_DEFLATE:
        return inflatedBytes(part, whole) >= whole;
      case PACKBITS:
        return packedBytes(part) >= whole;
      case JPEG:
        return damagedMarker(part) === undefined;
      default:
        return true;
    }
  };
  const seen = new Set<string>();
  const at = offsets.findIndex((offset, i) => {
    const count = counts[i] ?? 0;
    // Sparse files leave parts out: nothing lies at 0.
    if (count === 0 && offset === 0) return false;
    if (seen.has(`${offset} ${count}`)) return false;
    seen.add(`${offset} ${count}`);
    // Of strips that are cut off the library tells.
    if (offset + count > bytes.length) return kind === 'tile';
    return !isWhole(bytes.subarray(offset, offset + count), i);
  });
  return at < 0 ? undefined : `${kind} ${at + 1}`;
}
