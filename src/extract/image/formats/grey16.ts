import { convert, type Conversion } from './samples.ts';

/** Grey of 16 bits as Pillow's convert("RGB") gives it: what is above 255 is white. */
export const GREY16_CLIPPED: Conversion = {
  space: 'grey16',
  depth: 'ushort',
  toRgb: (samples) =>
    convert(samples, (data, from, out, to) => {
      out.fill(Math.min(255, data[from]!), to, to + 3);
    }),
};
