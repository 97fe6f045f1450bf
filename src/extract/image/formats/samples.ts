/** Samples as the image library hands them over: interleaved, row-major, 8 bits, or 16 in native byte order. */
export interface Samples {
  readonly data: Uint8Array | Uint16Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Interleaved uint8 RGB, or RGBA. */
export interface Rgb {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/** How the samples of a file become RGB where the image library alone would give other colours than Pillow. */
export interface Conversion {
  /** The colour space in which the library hands over the samples as they lie in the file. */
  readonly space: 'srgb' | 'cmyk' | 'grey16';
  readonly depth: 'uchar' | 'ushort';
  readonly toRgb: (samples: Samples) => Rgb;
}

/** RGB from a function that writes the colour of the pixel whose samples begin at `from` to `out` at `to`. */
export function convert(
  { data, width, height, channels }: Samples,
  write: (data: Uint8Array | Uint16Array, from: number, out: Uint8Array, to: number) => void,
): Rgb {
  const out = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < out.length; from += channels, to += 3) write(data, from, out, to);
  return { data: out, width, height, channels: 3 };
}
