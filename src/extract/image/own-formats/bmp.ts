import { bmpHeader, isBmp, type BmpHeader, type Channel } from './bmp-header.ts';
import { undecodable, type OwnFormat, type OwnPixels } from './own-format.ts';

const cutOff = (): never => undecodable('The BMP is cut off: it has fewer bytes than its pixels need.');

/** The table of colours as red, green, blue for each index; black where the file has none. */
function paletteOf(bytes: Uint8Array, { paletteAt, paletteStep, colors, bits }: BmpHeader): Uint8Array {
  const table = new Uint8Array(2 ** bits * 3);
  for (let i = 0; i < Math.min(colors, 2 ** bits); i++) {
    const at = paletteAt + i * paletteStep;
    if (at + 3 > bytes.length) cutOff();
    for (let c = 0; c < 3; c++) table[i * 3 + c] = bytes[at + 2 - c]!;
  }
  return table;
}

/** Bytes from the beginning of one line to that of the next. */
const strideOf = ({ width, bits }: BmpHeader): number => Math.ceil((width * bits) / 32) * 4;

/** The indices of run-length encoded pixels, line after line as in the file (Microsoft, "Bitmap Compression"). */
function unpackRuns(bytes: Uint8Array, { width, height, bits, dataAt }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const half = bits === 4;
  let [at, x, filled] = [dataAt, 0, 0];
  while (filled < indices.length) {
    if (at + 2 > bytes.length) cutOff();
    const count = bytes[at++]!;
    const value = bytes[at++]!;
    if (count > 0) {
      // A run ends with its line at the latest.
      const end = Math.min(filled + count, filled + Math.max(0, width - x), indices.length);
      for (let i = 0; filled + i < end; i++)
        indices[filled + i] = !half ? value : i % 2 === 0 ? value >> 4 : value & 15;
      x += end - filled;
      filled = end;
    } else if (value === 0) {
      filled = Math.ceil(filled / width) * width;
      x = 0;
    } else if (value === 1) {
      break; // the rest was left out on purpose: index 0
    } else if (value === 2) {
      if (at + 2 > bytes.length) cutOff();
      filled += bytes[at]! + bytes[at + 1]! * width;
      at += 2;
      x = filled % width;
    } else {
      const used = Math.min(value, indices.length - filled);
      const length = half ? Math.ceil(used / 2) : used;
      if (at + length > bytes.length) cutOff();
      for (let i = 0; i < used; i++) {
        const byte = bytes[at + (half ? i >> 1 : i)]!;
        indices[filled + i] = !half ? byte : i % 2 === 0 ? byte >> 4 : byte & 15;
      }
      at += length + ((length + at) % 2);
      filled += used;
      x += value;
    }
  }
  return indices;
}

function fromPalette(bytes: Uint8Array, header: BmpHeader, data: Uint8Array): void {
  const { width, height, bits, rle, dataAt } = header;
  const table = paletteOf(bytes, header);
  const indices = rle ? unpackRuns(bytes, header) : undefined;
  const stride = strideOf(header);
  const mask = 2 ** bits - 1;
  for (let line = 0; line < height; line++) {
    let o = (header.topDown ? line : height - 1 - line) * width * 3;
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      const index =
        indices?.[line * width + x] ?? (bytes[dataAt + line * stride + (bit >> 3)]! >> (8 - bits - (bit & 7))) & mask;
      data[o++] = table[index * 3]!;
      data[o++] = table[index * 3 + 1]!;
      data[o++] = table[index * 3 + 2]!;
    }
  }
}

/** The 8-bit values of a colour of up to 8 bits: scaled and cut off, as in Pillow. */
const scaled = (value: number, { top }: Channel): number => Math.floor((value * 255) / top);

function fromMasks(bytes: Uint8Array, header: BmpHeader, data: Uint8Array): void {
  const { width, height, bits, channels, dataAt } = header;
  const stride = strideOf(header);
  const step = bits / 8;
  for (let line = 0; line < height; line++) {
    let o = (header.topDown ? line : height - 1 - line) * width * channels.length;
    let at = dataAt + line * stride;
    for (let x = 0; x < width; x++, at += step) {
      let pixel = bytes[at]! | (bytes[at + 1]! << 8);
      if (step > 2) pixel |= bytes[at + 2]! << 16;
      if (step > 3) pixel |= bytes[at + 3]! << 24;
      for (const channel of channels) {
        const { shift, top } = channel;
        const value = (pixel >>> shift) & top;
        data[o++] = top === 255 ? value : top === 0 ? 0 : scaled(value >>> 0, channel);
      }
    }
  }
}

/**
 * Windows and OS/2 bitmaps: 1 to 32 bits, run lengths, masks, both directions, to Pillow's pixels. Without a library:
 * fast-bmp knows neither tables of colours nor run lengths nor 16 bits; bmp-ts takes the fourth byte for alpha always.
 * Alpha is alpha where the header has a mask for it, as in Pillow.
 */
export const BMP: OwnFormat = {
  name: 'BMP',
  extension: '.bmp',
  isOne: isBmp,
  header(bytes) {
    const { width, height, channels } = bmpHeader(bytes);
    return { width, height, orientation: 1, hasAlpha: channels.length === 4 };
  },
  pixels(bytes): OwnPixels {
    const header = bmpHeader(bytes);
    const { width, height, bits, rle, channels, dataAt } = header;
    // The padding of the last line may be missing.
    const needed = (height - 1) * strideOf(header) + Math.ceil((width * bits) / 8);
    if (!rle && dataAt + needed > bytes.length) cutOff();
    const count = channels.length === 4 ? 4 : 3;
    const data = new Uint8Array(width * height * count);
    (channels.length === 0 ? fromPalette : fromMasks)(bytes, header, data);
    return { data, width, height, channels: count };
  },
};
