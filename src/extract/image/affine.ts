import type { ViewParameters } from './view-parameters.ts';

/** A coordinate of the source as a function of the output pixel: start + perRow * row + perColumn * column. Pixels. */
export interface Axis {
  readonly start: number;
  readonly perRow: number;
  readonly perColumn: number;
}

/** For each output pixel the point of the source that it shows; pixel centres lie at integers. */
export interface Affine {
  readonly row: Axis;
  readonly column: Axis;
}

/**
 * To a multiple of 2^-32: sums and products with pixel numbers are then exact in float64 (sides up to 2^16). So
 * stepping gathers no error, whole shifts are whole, and a last digit of Math.sin all but never changes bytes. It moves
 * a point by less than 10^-6 pixels (sides up to 2,000).
 */
const onGrid = (value: number): number => Math.round(value * 2 ** 32) / 2 ** 32;

/**
 * The affine map of a view of a size x size picture, as Keras 3 makes it (apply_affine_transform with row_axis 0 and
 * col_axis 1): rotation . shift . shear . zoom, about the picture's middle (size - 1) / 2. With angles t and s in
 * radians, rotation . shear = (cos t, -sin(t + s); sin t, cos(t + s)). The flip comes last: column c shows size-1-c.
 */
export function viewAffine(parameters: ViewParameters, size: number): Affine {
  const { rotation, shear, shiftColumns, shiftRows, zoomColumns, zoomRows, flip } = parameters;
  const t = (rotation * Math.PI) / 180;
  const both = ((rotation + shear) * Math.PI) / 180;
  const [tx, ty] = [shiftColumns * size, shiftRows * size];
  const middle = (size - 1) / 2;
  const axis = (ofColumn: number, ofRow: number, moved: number): Axis => {
    const [perColumn, perRow] = [onGrid(ofColumn), onGrid(ofRow)];
    const start = middle + onGrid(moved) - middle * (perColumn + perRow);
    return flip
      ? { start: start + perColumn * (size - 1), perRow, perColumn: -perColumn }
      : { start, perRow, perColumn };
  };
  return {
    column: axis(zoomColumns * Math.cos(t), -zoomRows * Math.sin(both), tx * Math.cos(t) - ty * Math.sin(t)),
    row: axis(zoomColumns * Math.sin(t), zoomRows * Math.cos(both), tx * Math.sin(t) + ty * Math.cos(t)),
  };
}

/**
 * Samples RGB pixels (size, size, 3) at the points of `affine` into `out`, of the same shape: linear between the four
 * pixels around a point, the border's pixels beyond it (scipy.ndimage.affine_transform, order=1, mode='nearest'). A
 * Uint8ClampedArray as `out` rounds to the nearest level, halves to even.
 */
export function sampleAffine(
  pixels: Uint8Array,
  size: number,
  { row, column }: Affine,
  out: Uint8ClampedArray | Float32Array,
): void {
  const last = size - 1;
  // The upper left of four pixels never lies in the last row or column: there the fraction is 1.
  const lastStart = Math.max(0, size - 2);
  const right = size > 1 ? 3 : 0;
  const below = right * size;
  let o = 0;
  for (let y = 0; y < size; y++) {
    let r = row.start + row.perRow * y;
    let c = column.start + column.perRow * y;
    for (let x = 0; x < size; x++, r += row.perColumn, c += column.perColumn) {
      const rowAt = r < 0 ? 0 : r > last ? last : r;
      const columnAt = c < 0 ? 0 : c > last ? last : c;
      let i = rowAt | 0;
      let j = columnAt | 0;
      if (i > lastStart) i = lastStart;
      if (j > lastStart) j = lastStart;
      const down = rowAt - i;
      const across = columnAt - j;
      const w11 = down * across;
      const w10 = down - w11;
      const w01 = across - w11;
      const w00 = 1 - down - w01;
      const a = (i * size + j) * 3;
      const b = a + below;
      out[o] = w00 * pixels[a]! + w01 * pixels[a + right]! + w10 * pixels[b]! + w11 * pixels[b + right]!;
      out[o + 1] =
        w00 * pixels[a + 1]! + w01 * pixels[a + right + 1]! + w10 * pixels[b + 1]! + w11 * pixels[b + right + 1]!;
      out[o + 2] =
        w00 * pixels[a + 2]! + w01 * pixels[a + right + 2]! + w10 * pixels[b + 2]! + w11 * pixels[b + right + 2]!;
      o += 3;
    }
  }
}
