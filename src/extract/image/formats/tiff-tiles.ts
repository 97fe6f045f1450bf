import { inflateSync } from 'node:zlib';
import { damagedMarker } from './jpeg-scans.ts';
import { TIFF_TAG, type TiffDirectory } from './tiff-directory.ts';

/** Kinds of compression whose tiles are checked. */
const [NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS] = [1, 5, 7, 8, 32946, 32773];
const YCBCR = 6;
/** More tiles than any picture of 2^28 pixels in tiles of 16 x 16. */
const MOST_TILES = 2 ** 20;

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

function inflatedBytes(tile: Uint8Array, most: number): number {
  try {
    return inflateSync(tile, { maxOutputLength: 2 * most + 1024 }).length;
  } catch {
    return 0;
  }
}

/**
 * The number of the first tile that is damaged or cut off; undefined where all are whole, and for a TIFF without tiles.
 * The image library paints such tiles black and tells nobody; of damaged strips it tells.
 */
export function damagedTile(bytes: Uint8Array, directory: TiffDirectory): number | undefined {
  const first = (tag: number, otherwise: number): number => directory.numbers(tag)?.[0] ?? otherwise;
  const offsets = directory.numbers(TIFF_TAG.tileOffsets, MOST_TILES);
  const counts = directory.numbers(TIFF_TAG.tileByteCounts, MOST_TILES);
  if (offsets === undefined || counts === undefined) return undefined;
  const compression = first(TIFF_TAG.compression, NONE);
  const samples = first(TIFF_TAG.planar, 1) === 2 ? 1 : first(TIFF_TAG.samplesPerPixel, 1);
  const lineBits = first(TIFF_TAG.tileWidth, 0) * samples * first(TIFF_TAG.bitsPerSample, 1);
  const sharesSamples = first(TIFF_TAG.photometric, 0) === YCBCR;
  const whole = sharesSamples ? 1 : Math.ceil(lineBits / 8) * first(TIFF_TAG.tileLength, 0);
  const isWhole = (tile: Uint8Array): boolean => {
    switch (compression) {
      case NONE:
        return tile.length >= whole;
      case LZW:
        return lzwBytes(tile, whole) >= whole;
      case DEFLATE:
      case OLD_DEFLATE:
        return inflatedBytes(tile, whole) >= whole;
      case PACKBITS:
        return packedBytes(tile) >= whole;
      case JPEG:
        return damagedMarker(tile) === undefined;
      default:
        return true;
    }
  };
  const at = offsets.findIndex((offset, i) => {
    const count = counts[i] ?? 0;
    // Sparse files leave tiles out: nothing lies at 0.
    if (count === 0 && offset === 0) return false;
    return offset + count > bytes.length || !isWhole(bytes.subarray(offset, offset + count));
  });
  return at < 0 ? undefined : at;
}
