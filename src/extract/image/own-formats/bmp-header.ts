import { undecodable } from './own-format.ts';

/** Where the bits of one colour lie in a pixel, and its largest value; `top` is 0 for a colour without bits. */
export interface Channel {
  readonly shift: number;
  readonly top: number;
}

/** How the pixels of a BMP are kept. Offsets in bytes from the beginning of the file. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  /** True where the first line of the file is the uppermost. */
  readonly topDown: boolean;
  /** Bits of a pixel: 1, 2, 4, 8, 16, 24 or 32. */
  readonly bits: number;
  readonly rle: boolean;
  /** Red, green, blue, and alpha where the file has it; empty for 1 to 8 bits, which name colours of a table. */
  readonly channels: readonly Channel[];
  /** The table of colours: blue, green, red, and for `paletteStep` 4 a byte without meaning. */
  readonly paletteAt: number;
  readonly paletteStep: number;
  readonly colors: number;
  readonly dataAt: number;
}

/** BITMAPCOREHEADER, BITMAPINFOHEADER, V2, V3, OS/2 2.x, V4, V5 (Microsoft, "Bitmap Header Types"). */
const HEADER_SIZES = [12, 40, 52, 56, 64, 108, 124];
const CORE = 12;
const OS2 = 64;
/** Size of the header of the file, "BM" at its beginning. */
const FILE_HEADER = 14;
/** biCompression. */
const [RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS] = [0, 1, 2, 3, 6];

/** The colours of a pixel without masks, by its bits: red, green, blue. */
const DEFAULT_MASKS: Readonly<Record<number, readonly number[]>> = {
  16: [0x7c00, 0x3e0, 0x1f],
  24: [0xff0000, 0xff00, 0xff],
  32: [0xff0000, 0xff00, 0xff],
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Whether bytes begin with a bare DIB: what the clipboard holds and some `.dib` files are. */
function isBareDib(bytes: Uint8Array): boolean {
  if (bytes.length < 40) return false;
  const view = viewOf(bytes);
  const size = view.getUint32(0, true);
  return size !== CORE && HEADER_SIZES.includes(size) && view.getUint16(12, true) === 1;
}

/** Whether bytes are a BMP, with the header of a file or without (a DIB). */
export function isBmp(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x42 || bytes[1] !== 0x4d) return isBareDib(bytes);
  // "BM" may begin any text; the size of the second header does not.
  return bytes.length < FILE_HEADER + 4 || viewOf(bytes).getUint32(FILE_HEADER, true) <= 0xffff;
}

function channelOf(mask: number): Channel {
  if (mask === 0) return { shift: 0, top: 0 };
  const shift = 31 - Math.clz32(mask & -mask);
  const top = mask >>> shift;
  if ((top & (top + 1)) !== 0) undecodable(`BMP with the mask 0x${mask.toString(16)}, whose bits do not lie together.`);
  return { shift, top };
}

/** Reads the headers of a BMP. Throws IMAGE_UNDECODABLE for what is cut off, no BMP, or a kind that is not decoded. */
export function bmpHeader(bytes: Uint8Array): BmpHeader {
  const view = viewOf(bytes);
  const start = bytes[0] === 0x42 ? FILE_HEADER : 0;
  const size = bytes.length < start + 4 ? 0 : view.getUint32(start, true);
  if (!HEADER_SIZES.includes(size))
    undecodable(`BMP with a header of ${size} bytes; those of ${HEADER_SIZES.join(', ')} are known.`);
  if (bytes.length < start + size) undecodable('The BMP is cut off within its header.');
  const u32 = (at: number): number => view.getUint32(start + at, true);
  const core = size === CORE;
  const width = core ? view.getUint16(start + 4, true) : view.getInt32(start + 4, true);
  const said = core ? view.getUint16(start + 6, true) : view.getInt32(start + 8, true);
  const bits = view.getUint16(start + (core ? 10 : 14), true);
  const compression = core ? RGB : u32(16);
  const height = Math.abs(said);
  if (width < 1 || height < 1) undecodable(`BMP of ${width} x ${said} pixels.`);

  const isKind =
    (compression === RGB && [1, 2, 4, 8, 16, 24, 32].includes(bits)) ||
    (compression === RLE8 && bits === 8) ||
    (compression === RLE4 && bits === 4) ||
    ((compression === BITFIELDS || compression === ALPHA_BITFIELDS) && size !== OS2 && [16, 24, 32].includes(bits));
  if (!isKind)
    undecodable(
      `BMP of ${bits} bits a pixel in compression ${compression}, which is not decoded. Save it as PNG, or without compression.`,
    );

  let after = start + size;
  let masks = DEFAULT_MASKS[bits] ?? [];
  if (compression === BITFIELDS || compression === ALPHA_BITFIELDS) {
    // Headers of 40 bytes have the masks behind them, larger ones within; only the larger ones tell of alpha.
    const count = compression === ALPHA_BITFIELDS || size >= 56 ? 4 : 3;
    const at = start + 40;
    if (bytes.length < at + count * 4) undecodable('The BMP is cut off within its header.');
    masks = Array.from({ length: count }, (_, i) => view.getUint32(at + i * 4, true));
    if (size === 40) after += count * 4;
    if (masks.every((mask) => mask === 0)) masks = [...DEFAULT_MASKS[bits]!, ...(bits === 32 ? [0xff000000] : [])];
  }
  const channels = masks.map(channelOf);
  if (channels[3]?.top === 0) channels.pop();

  const paletteStep = core ? 3 : 4;
  const told = core ? 0 : u32(32);
  const colors = bits > 8 ? told : told === 0 ? 2 ** bits : told;
  // A larger table than the pixels can name is in the way of nothing; one that cannot lie in the file is damage.
  if (bits <= 8 && colors > 65_536) undecodable(`BMP with a table of ${colors} colours.`);
  const behind = after + paletteStep * (bits <= 8 ? colors : 0);
  const offset = start === 0 ? 0 : view.getUint32(10, true);
  // Some writers count the headers alone.
  const dataAt = offset === 0 || (bits <= 8 && offset === after) ? behind : offset;
  const rle = compression === RLE8 || compression === RLE4;
  return { width, height, topDown: said < 0, bits, rle, channels, paletteAt: after, paletteStep, colors, dataAt };
}
