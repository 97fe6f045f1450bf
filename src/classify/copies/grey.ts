import { SKETCH_BYTES, SKETCH_SIDE } from '../../core/sketch.ts';

/** A square grey picture, float32 in rows. */
export interface Grey {
  readonly side: number;
  readonly values: Float32Array;
}

/** A sketch as numbers, mirrored left to right where asked for. */
export function greyOf(sketch: Uint8Array, mirrored = false): Grey {
  const values = Float32Array.from(sketch);
  if (mirrored) for (let y = 0; y < SKETCH_SIDE; y++) values.subarray(y * SKETCH_SIDE, (y + 1) * SKETCH_SIDE).reverse();
  return { side: SKETCH_SIDE, values };
}

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
  for (const value of sketch) {
    sum += value;
    squares += value * value;
  }
  return squares / SKETCH_BYTES - (sum / SKETCH_BYTES) ** 2 < PLAIN_LEVELS ** 2;
}
