import type { Contract, Rgb } from '../../core/contract.ts';

/**
 * Where an image lands: scaled to (width, height), then cut to the square of `size` at (left, top). Pixels; where they
 * are below 0 the square reaches over the image.
 */
export interface Placement {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** A decoded image: interleaved uint8, 3 channels or 4, the first three RGB. */
export interface Source {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Rounds halves to even, as Python and torch do. */
export const roundToEven = (x: number): number => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

/**
 * The placement of a width x height image. `cover-crop` follows torchvision: the longer side becomes floor(resize *
 * long / short), and the crop starts at (side - size) / 2, rounded as the contract says. `contain-pad` follows timm:
 * the shorter side is rounded, halves to even, and half of the ground, rounded down, lies before the image.
 */
export function placement(contract: Contract, width: number, height: number): Placement {
  const { size, geometry, crop, resize = size } = contract;
  const whole = geometry === 'contain-pad' ? Math.max(width, height) : Math.min(width, height);
  const scaled = (side: number): number => {
    if (geometry === 'squash' || side === whole) return resize;
    return geometry === 'cover-crop'
      ? Math.floor((resize * side) / whole)
      : Math.max(1, roundToEven(side / (whole / resize)));
  };
  const start = (side: number): number => {
    if (side < size) return 0 - Math.floor((size - side) / 2);
    return crop === 'floor' ? Math.floor((side - size) / 2) : roundToEven((side - size) / 2);
  };
  const [w, h] = [scaled(width), scaled(height)];
  return { width: w, height: h, left: start(w), top: start(h) };
}

/** A rectangle of the square, in pixels. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of the square that the image covers; all of it, but under `contain-pad`. */
export function coveredPart({ width, height, left, top }: Placement, size: number): Part {
  const [x, y] = [Math.max(0, -left), Math.max(0, -top)];
  return { x, y, width: Math.min(size, width - left) - x, height: Math.min(size, height - top) - y };
}

/**
 * The square of RGB pixels that have its scale already and hold all of it, a copy; undefined for others. No kernel
 * changes pixels that it does not scale.
 */
export function cutOut(
  { data, width, height, channels }: Source,
  place: Placement,
  size: number,
): Uint8Array | undefined {
  const { left, top } = place;
  const isScaled = place.width !== width || place.height !== height;
  if (channels !== 3 || isScaled || Math.min(left, top, width - size - left, height - size - top) < 0) return undefined;
  const square = new Uint8Array(size * size * 3);
  for (let line = 0; line < size; line++) {
    const start = ((top + line) * width + left) * 3;
    square.set(data.subarray(start, start + size * 3), line * size * 3);
  }
  return square;
}

/** Colours all of a square of RGB pixels but `part`, in place. */
export function layGround(pixels: Uint8Array, size: number, { x, y, width, height }: Part, [r, g, b]: Rgb): void {
  const ground = Uint8Array.from({ length: size * 3 }, (_, i) => [r, g, b][i % 3]!);
  for (let line = 0; line < size; line++) {
    const start = line * size * 3;
    const isCovered = line >= y && line < y + height;
    pixels.set(isCovered ? ground.subarray(0, x * 3) : ground, start);
    if (isCovered) pixels.set(ground.subarray((x + width) * 3), start + (x + width) * 3);
  }
}

/**
 * Source coordinate of each of `to` output pixels on an axis of `from`, as Pillow's NEAREST: from half a step on,
 * adding the step in double precision (Geometry.c, ImagingScaleAffine). Multiplying instead gives other pixels.
 */
function nearestSteps(from: number, to: number): Int32Array {
  const steps = new Int32Array(to);
  const step = from / to;
  let at = step / 2;
  for (let i = 0; i < to; i++, at += step) steps[i] = Math.floor(at);
  return steps;
}

/**
 * Nearest-neighbour resize and crop into RGB, shape (size, size, 3), black where the image does not reach; a fourth
 * channel is dropped. Byte-identical to Pillow's Image.resize(..., NEAREST) of the RGB pixels.
 */
export function resizeNearest(source: Source, place: Placement, size: number): Uint8Array {
  const xs = nearestSteps(source.width, place.width);
  const ys = nearestSteps(source.height, place.height);
  const out = new Uint8Array(size * size * 3);
  const { data, channels } = source;
  const part = coveredPart(place, size);
  for (let y = part.y; y < part.y + part.height; y++) {
    const line = ys[y + place.top]! * source.width;
    let o = (y * size + part.x) * 3;
    for (let x = part.x; x < part.x + part.width; x++) {
      const i = (line + xs[x + place.left]!) * channels;
      out[o++] = data[i]!;
      out[o++] = data[i + 1]!;
      out[o++] = data[i + 2]!;
    }
  }
  return out;
}
