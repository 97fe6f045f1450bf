import { SKETCH_BYTES, SKETCH_SIDE } from '../../core/sketch.ts';

/** Thousandths of red, green and blue in grey (ITU-R BT.601). */
const [RED, GREEN, BLUE] = [299, 587, 114] as const;

/** Pixels of a line that a pixel of the sketch covers, and how much of each, in parts of 1 / SKETCH_SIDE pixel. */
interface Cover {
  readonly first: number;
  readonly weights: readonly number[];
}

function coversOf(size: number): Cover[] {
  return Array.from({ length: SKETCH_SIDE }, (_, i) => {
    const [from, to] = [i * size, (i + 1) * size];
    const first = Math.floor(from / SKETCH_SIDE);
    const weights: number[] = [];
    for (let pixel = first; pixel * SKETCH_SIDE < to; pixel++)
      weights.push(Math.min(to, (pixel + 1) * SKETCH_SIDE) - Math.max(from, pixel * SKETCH_SIDE));
    return { first, weights };
  });
}

/**
 * The sketch of a square of pixels, uint8 RGB, shape (size, size, 3): each of its pixels is the mean grey of the area
 * that it covers. Integers throughout (below 2^53 up to a size of 180,000), so it is the same on every machine.
 */
export function sketchOf(pixels: Uint8Array, size: number): Uint8Array {
  const covers = coversOf(size);
  const lines = new Float64Array(size * SKETCH_SIDE);
  for (let y = 0; y < size; y++) {
    for (const [x, { first, weights }] of covers.entries()) {
      let sum = 0;
      let at = (y * size + first) * 3;
      for (const weight of weights) {
        sum += weight * (RED * pixels[at]! + GREEN * pixels[at + 1]! + BLUE * pixels[at + 2]!);
        at += 3;
      }
      lines[y * SKETCH_SIDE + x] = sum;
    }
  }
  const sketch = new Uint8Array(SKETCH_BYTES);
  const total = (RED + GREEN + BLUE) * size * size;
  for (const [y, { first, weights }] of covers.entries()) {
    for (let x = 0; x < SKETCH_SIDE; x++) {
      let sum = total / 2;
      for (const [k, weight] of weights.entries()) sum += weight * lines[(first + k) * SKETCH_SIDE + x]!;
      sketch[y * SKETCH_SIDE + x] = Math.floor(sum / total);
    }
  }
  return sketch;
}
