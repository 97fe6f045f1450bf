import type { Contract } from '../../core/contract.ts';

/** Where an image lands: scaled to (width, height), then cut to the square of `size` at (left, top). Pixels. */
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

/**
 * The placement of a width x height image. `cover-crop` follows torchvision: the longer side becomes floor(size * long
 * / short), the crop starts at round((side - size) / 2), halves to even.
 */
export function placement(contract: Contract, width: number, height: number): Placement {
  const { size } = contract;
  if (contract.geometry === 'squash') return { width: size, height: size, left: 0, top: 0 };
  const short = Math.min(width, height);
  const scaled = (side: number): number => (side === short ? size : Math.floor((size * side) / short));
  const start = (side: number): number => {
    const half = (side - size) / 2;
    return half % 1 === 0.5 && Math.floor(half) % 2 === 0 ? Math.floor(half) : Math.round(half);
  };
  const [w, h] = [scaled(width), scaled(height)];
  return { width: w, height: h, left: start(w), top: start(h) };
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
 * Nearest-neighbour resize and crop into RGB, shape (size, size, 3); a fourth channel is dropped. Byte-identical to
 * Pillow's Image.resize(..., NEAREST) of the RGB pixels.
 */
export function resizeNearest(source: Source, place: Placement, size: number): Uint8Array {
  const xs = nearestSteps(source.width, place.width);
  const ys = nearestSteps(source.height, place.height);
  const out = new Uint8Array(size * size * 3);
  const { data, channels } = source;
  let o = 0;
  for (let y = 0; y < size; y++) {
    const line = ys[y + place.top]! * source.width;
    for (let x = 0; x < size; x++) {
      const i = (line + xs[x + place.left]!) * channels;
      out[o++] = data[i]!;
      out[o++] = data[i + 1]!;
      out[o++] = data[i + 2]!;
    }
  }
  return out;
}
