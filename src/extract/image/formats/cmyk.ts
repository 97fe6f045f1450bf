import { convert, type Conversion } from './samples.ts';

/** a * b / 255 for 8-bit numbers, rounded (Pillow's MULDIV255). */
function product(a: number, b: number): number {
  const sum = a * b + 128;
  return (sum + (sum >> 8)) >> 8;
}

/**
 * Inks to light without a profile: each of cyan, magenta and yellow takes away its share of what black has left.
 * Pillow's cmyk2rgb (Convert.c) to the byte, of 16 bits the upper 8; browsers and ImageMagick show the same
 * (docs/images.md).
 */
export function cmykConversion(depth: 'uchar' | 'ushort'): Conversion {
  const shift = depth === 'ushort' ? 8 : 0;
  return {
    space: 'cmyk',
    depth,
    toRgb: (samples) =>
      convert(samples, (data, from, out, to) => {
        const light = 255 - (data[from + 3]! >> shift);
        for (let c = 0; c < 3; c++) out[to + c] = light - product(data[from + c]! >> shift, light);
      }),
  };
}
