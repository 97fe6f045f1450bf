import { COLOUR_BYTES, COLOUR_SIDE, GREY_BYTES, SKETCH_BYTES, SKETCH_SIDE } from '../core/sketch.ts';

/** Thousandths of red, green and blue in a value, and what is added (ITU-R BT.601, as in JPEG files). */
interface Mix {
  readonly parts: readonly [number, number, number];
  readonly offset: number;
}
const GREY: Mix = { parts: [299, 587, 114], offset: 0 };
const BLUE_DIFFERENCE: Mix = { parts: [-169, -331, 500], offset: 128 };
const RED_DIFFERENCE: Mix = { parts: [500, -419, -81], offset: 128 };

/** Pixels of a line that one of `side` cells covers, and how much of each, in parts of 1 / side pixel. */
interface Cover {
  readonly first: number;
  readonly weights: readonly number[];
}

function coversOf(size: number, side: number): Cover[] {
  return Array.from({ length: side }, (_, i) => {
    const [from, to] = [i * size, (i + 1) * size];
    const first = Math.floor(from / side);
    const weights: number[] = [];
    for (let pixel = first; pixel * side < to; pixel++)
      weights.push(Math.min(to, (pixel + 1) * side) - Math.max(from, pixel * side));
    return { first, weights };
  });
}

/** Writes side x side means of a mix of the colours, each of the area that it covers. */
function writeMeans(pixels: Uint8Array, size: number, side: number, { parts, offset }: Mix, into: Uint8Array): void {
  const [red, green, blue] = parts;
  const covers = coversOf(size, side);
  const lines = new Float64Array(size * side);
  for (let y = 0; y < size; y++) {
    for (const [x, { first, weights }] of covers.entries()) {
      let sum = 0;
      let at = (y * size + first) * 3;
      for (const weight of weights) {
        sum += weight * (red * pixels[at]! + green * pixels[at + 1]! + blue * pixels[at + 2]!);
        at += 3;
      }
      lines[y * side + x] = sum;
    }
  }
  const total = 1000 * size * size;
  for (const [y, { first, weights }] of covers.entries()) {
    for (let x = 0; x < side; x++) {
      let sum = total * (offset + 0.5);
      for (const [k, weight] of weights.entries()) sum += weight * lines[(first + k) * side + x]!;
      into[y * side + x] = Math.min(255, Math.floor(sum / total));
    }
  }
}

/**
 * The sketch of a square of pixels, uint8 RGB, shape (size, size, 3). All sums are whole numbers (below 2^53 up to a
 * size of 180,000), so it is the same on every machine.
 */
export function sketchOf(pixels: Uint8Array, size: number): Uint8Array {
  const sketch = new Uint8Array(SKETCH_BYTES);
  writeMeans(pixels, size, SKETCH_SIDE, GREY, sketch.subarray(0, GREY_BYTES));
  writeMeans(pixels, size, COLOUR_SIDE, BLUE_DIFFERENCE, sketch.subarray(GREY_BYTES, GREY_BYTES + COLOUR_BYTES));
  writeMeans(pixels, size, COLOUR_SIDE, RED_DIFFERENCE, sketch.subarray(GREY_BYTES + COLOUR_BYTES));
  return sketch;
}
