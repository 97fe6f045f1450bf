import { COLOUR_BYTES, COLOUR_SIDE, GREY_BYTES, SKETCH_SIDE } from '../../core/sketch.ts';

/** A square grey picture, float32 in rows. */
export interface Grey {
  readonly side: number;
  readonly values: Float32Array;
}

/** A part of a sketch as numbers, mirrored left to right where asked for. */
function squareOf(sketch: Uint8Array, from: number, side: number, mirrored: boolean): Grey {
  const values = Float32Array.from(sketch.subarray(from, from + side * side));
  if (mirrored) for (let y = 0; y < side; y++) values.subarray(y * side, (y + 1) * side).reverse();
  return { side, values };
}

export const greyOf = (sketch: Uint8Array, mirrored = false): Grey => squareOf(sketch, 0, SKETCH_SIDE, mirrored);

/** The two colour differences of a sketch. */
export const coloursOf = (sketch: Uint8Array, mirrored = false): readonly [Grey, Grey] => [
  squareOf(sketch, GREY_BYTES, COLOUR_SIDE, mirrored),
  squareOf(sketch, GREY_BYTES + COLOUR_BYTES, COLOUR_SIDE, mirrored),
];

/** Half the side, each pixel the mean of four. */
export function halved({ side, values }: Grey): Grey {
  const half = side / 2;
  const means = new Float32Array(half * half);
  for (let y = 0; y < half; y++) {
    for (let x = 0; x < half; x++) {
      const at = 2 * (y * side + x);
      means[y * half + x] = (values[at]! + values[at + 1]! + values[at + side]! + values[at + side + 1]!) / 4;
    }
  }
  return { side: half, values: means };
}

/** Standard deviation below which a sketch is a plain surface, in levels of 255: noise would decide what it is like. */
const PLAIN_LEVELS = 2;

/** Whether a sketch shows nothing that could be recognised. */
export function isPlain(sketch: Uint8Array): boolean {
  let [sum, squares] = [0, 0];
  for (const value of sketch.subarray(0, GREY_BYTES)) {
    sum += value;
    squares += value * value;
  }
  return squares / GREY_BYTES - (sum / GREY_BYTES) ** 2 < PLAIN_LEVELS ** 2;
}

/** Levels by which a pixel of an even area differs from those right of it and below it at most. */
const EVEN_LEVELS = 2;

/** Share of a sketch that is even: background, sky, the white of a page. */
export function evenShare(sketch: Uint8Array): number {
  let even = 0;
  for (let y = 0; y < SKETCH_SIDE - 1; y++) {
    for (let x = 0; x < SKETCH_SIDE - 1; x++) {
      const at = y * SKETCH_SIDE + x;
      const value = sketch[at]!;
      const most = Math.max(Math.abs(sketch[at + 1]! - value), Math.abs(sketch[at + SKETCH_SIDE]! - value));
      if (most <= EVEN_LEVELS) even++;
    }
  }
  return even / (SKETCH_SIDE - 1) ** 2;
}
