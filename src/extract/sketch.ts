import { COLOUR_BYTES, COLOUR_SIDE, GREY_BYTES, SKETCH_BYTES, SKETCH_SIDE } from '../core/sketch.ts';

/** Thousandths of red, green and blue in a value, and what is added (ITU-R BT.601, as in JPEG files). */
interface Mix {
  readonly parts: readonly [number, number, number];
  readonly offset: number;
}
const GREY: Mix = { parts: [299, 587, 114], offset: 0 };
const BLUE_DIFFERENCE: Mix = { parts: [-169, -331, 500], offset: 128 };
const RED_DIFFERENCE: Mix = { parts: [500, -419, -81], offset: 128 };

/** Cells of grey in one of colour, on each side. */
const CELLS = SKETCH_SIDE / COLOUR_SIDE;

/**
 * Sums of each colour over side x side cells of a square of pixels, shape (side, side, 3): a pixel counts by the area
 * that the cell covers of it, in parts of 1 / side² pixel.
 */
function areaSums(pixels: Uint8Array, size: number, side: number): Float64Array {
  const sums = new Float64Array(side * side * 3);
  const line = new Float64Array(side * 3);
  for (let y = 0; y < size; y++) {
    lineSums(pixels, y * size * 3, size, side, line);
    // Cell c covers side·size parts of each line and column from c·size on; this line is those from y·side on.
    const end = (y + 1) * side;
    for (let from = y * side, cell = Math.floor(from / size); from < end; cell++) {
      const to = Math.min(end, (cell + 1) * size);
      const start = cell * side * 3;
      for (let at = 0; at < line.length; at++) sums[start + at]! += (to - from) * line[at]!;
      from = to;
    }
  }
  return sums;
}

/** The same for one line of pixels that begins at `at`, shape (side, 3). */
function lineSums(pixels: Uint8Array, at: number, size: number, side: number, line: Float64Array): void {
  for (let cell = 0, first = 0; cell < side; cell++) {
    let [red, green, blue] = [0, 0, 0];
    const end = (cell + 1) * size;
    // Pixel x covers the parts from x·side on; the first and the last one of a cell may reach beyond it.
    for (let x = first; x * side < end; x++) {
      const weight = Math.min(end, (x + 1) * side) - Math.max(cell * size, x * side);
      const from = at + x * 3;
      red += weight * pixels[from]!;
      green += weight * pixels[from + 1]!;
      blue += weight * pixels[from + 2]!;
    }
    first = Math.floor(end / side);
    line[cell * 3] = red;
    line[cell * 3 + 1] = green;
    line[cell * 3 + 2] = blue;
  }
}

/** Sums over the coarser cells of colour, in their own parts. */
function coarser(sums: Float64Array): Float64Array {
  const out = new Float64Array(COLOUR_SIDE * COLOUR_SIDE * 3);
  for (let y = 0, at = 0; y < SKETCH_SIDE; y++) {
    const line = Math.floor(y / CELLS) * COLOUR_SIDE;
    for (let x = 0; x < SKETCH_SIDE; x++) {
      const cell = (line + Math.floor(x / CELLS)) * 3;
      for (let c = 0; c < 3; c++) out[cell + c]! += sums[at++]!;
    }
  }
  return out.map((sum) => sum / CELLS ** 2);
}

/** Writes the mean of a mix of the colours over each cell. */
function writeMeans(sums: Float64Array, size: number, { parts, offset }: Mix, into: Uint8Array): void {
  const [red, green, blue] = parts;
  const total = 1000 * size * size;
  for (let cell = 0, at = 0; cell < into.length; cell++, at += 3) {
    const sum = total * (offset + 0.5) + red * sums[at]! + green * sums[at + 1]! + blue * sums[at + 2]!;
    into[cell] = Math.min(255, Math.floor(sum / total));
  }
}

/**
 * The sketch of a square of pixels, uint8 RGB, shape (size, size, 3). All sums are whole numbers (below 2^53 up to a
 * size of 180,000), so it is the same on every machine.
 */
export function sketchOf(pixels: Uint8Array, size: number): Uint8Array {
  const sketch = new Uint8Array(SKETCH_BYTES);
  const fine = areaSums(pixels, size, SKETCH_SIDE);
  const coarse = coarser(fine);
  writeMeans(fine, size, GREY, sketch.subarray(0, GREY_BYTES));
  writeMeans(coarse, size, BLUE_DIFFERENCE, sketch.subarray(GREY_BYTES, GREY_BYTES + COLOUR_BYTES));
  writeMeans(coarse, size, RED_DIFFERENCE, sketch.subarray(GREY_BYTES + COLOUR_BYTES));
  return sketch;
}
