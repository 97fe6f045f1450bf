import { convert, type Conversion } from './samples.ts';
import type { YCbCr } from './special.ts';

/** ITU-R BT.601, and all 256 codes: what a TIFF means that says nothing. */
export const PLAIN_YCBCR: YCbCr = { luma: [0.299, 0.587, 0.114], blackWhite: [0, 255, 128, 255, 128, 255] };

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));
const clamp8 = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);

/** Contribution of each code to each channel. `greenCb` and `greenCr` are summed, then shifted right by `shift`. */
interface Tables {
  readonly luma: Int32Array;
  readonly red: Int32Array;
  readonly greenCb: Int32Array;
  readonly greenCr: Int32Array;
  readonly blue: Int32Array;
  readonly shift: number;
}

const table = (of: (code: number) => number): Int32Array => Int32Array.from({ length: 256 }, (_, code) => of(code));

/** Those of libtiff (TIFFYCbCrToRGBInit in tif_color.c): factors of 16 bits, in single precision as there. */
function libtiffTables({ luma, blackWhite }: YCbCr): Tables {
  const f = Math.fround;
  const [red, green, blue] = luma.map(f) as [number, number, number];
  const fix = (x: number): number => Math.trunc(clamp(x, 0, 2) * 65536 + 0.5);
  const ofRed = f(2 - f(2 * red));
  const ofBlue = f(2 - f(2 * blue));
  const [toRed, toBlue] = [fix(ofRed), fix(ofBlue)];
  const [redToGreen, blueToGreen] = [-fix(f(f(red * ofRed) / green)), -fix(f(f(blue * ofBlue) / green))];
  /** A code between black and white as a level of `range`. */
  const level = (code: number, black: number, white: number, range: number): number =>
    Math.trunc(clamp(f(f((code - Math.trunc(black)) * range) / (white - black || 1)), -4096, 4096));
  const chroma = (code: number, of: 2 | 4): number =>
    level(code - 128, f(blackWhite[of]! - 128), f(blackWhite[of + 1]! - 128), 127);
  return {
    luma: table((code) => level(code, blackWhite[0]!, blackWhite[1]!, 255)),
    red: table((code) => (toRed * chroma(code, 4) + 32768) >> 16),
    blue: table((code) => (toBlue * chroma(code, 2) + 32768) >> 16),
    greenCb: table((code) => blueToGreen * chroma(code, 2) + 32768),
    greenCr: table((code) => redToGreen * chroma(code, 4)),
    shift: 16,
  };
}

/** Those of Pillow (ConvertYCbCr.c), which reads uncompressed files itself: JFIF's factors in 64ths. */
function pillowTables(): Tables {
  const scaled = (factor: number) => (code: number) => Math.trunc(factor * 64 * (code - 128) + 0.5);
  return {
    luma: table((code) => code),
    red: table((code) => scaled(1.402)(code) >> 6),
    blue: table((code) => scaled(1.772)(code) >> 6),
    greenCb: table(scaled(-0.34414)),
    greenCr: table(scaled(-0.71414)),
    shift: 6,
  };
}

/**
 * The conversion of a TIFF whose samples are Y, Cb and Cr, to the bytes of Pillow: by the file's own numbers, which
 * Pillow leaves to libtiff; of uncompressed files without any (`meaning` undefined) by its own.
 */
export function yCbCrConversion(meaning: YCbCr | undefined): Conversion {
  const { luma, red, greenCb, greenCr, blue, shift } = meaning === undefined ? pillowTables() : libtiffTables(meaning);
  return {
    space: 'srgb',
    depth: 'uchar',
    toRgb: (samples) =>
      convert(samples, (data, from, out, to) => {
        const [y, cb, cr] = [luma[data[from]!]!, data[from + 1]!, data[from + 2]!];
        out[to] = clamp8(y + red[cr]!);
        out[to + 1] = clamp8(y + ((greenCb[cb]! + greenCr[cr]!) >> shift));
        out[to + 2] = clamp8(y + blue[cb]!);
      }),
  };
}
