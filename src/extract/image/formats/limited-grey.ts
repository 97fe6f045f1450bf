import { convert, type Conversion, type Rgb, type Samples } from './samples.ts';

/** Grey of video levels to full ones: 16 is black, 235 white (ITU-R BT.601), as libavif rounds. */
const LEVELS = Uint8ClampedArray.from({ length: 256 }, (_, code) => ((code - 16) * 255) / 219);

function withAlpha({ data, width, height }: Samples): Rgb {
  const out = Uint8Array.from(data, (value, i) => (i % 4 === 3 ? value : LEVELS[value]!));
  return { data: out, width, height, channels: 4 };
}

/** Monochrome pictures of limited range, which the image library hands over unexpanded. */
export const LIMITED_GREY: Conversion = {
  space: 'srgb',
  depth: 'uchar',
  toRgb: (samples) =>
    samples.channels === 4
      ? withAlpha(samples)
      : convert(samples, (data, from, out, to) => {
          out.fill(LEVELS[data[from]!]!, to, to + 3);
        }),
};
