import { PermafrostError } from '../../core/errors.ts';
import { coveredPart, roundToEven, type Placement, type Source } from './geometry.ts';
import type { SmoothKernel } from './resample.ts';

/** Weights of the source pixels from `first` on, for a point `t` of the way from one (0) to the next. */
const KERNELS = {
  bilinear: { first: 0, count: 2, weights: (t: number) => [1 - t, t] },
  bicubic: { first: -1, count: 4, weights: (t: number) => [outer(1 + t), inner(t), inner(1 - t), outer(2 - t)] },
} as const;

/** Cubic convolution (Keys, 1981) with a = -0.75, as in torch and OpenCV; with antialiasing it is -0.5 everywhere. */
const A = -0.75;
const inner = (x: number): number => ((A + 2) * x - (A + 3)) * x * x + 1;
const outer = (x: number): number => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;

/** For each of `length` output pixels from `start` on: which source pixels count, the edge repeated, and how much. */
function taps(kernel: keyof typeof KERNELS, from: number, to: number, start: number, length: number) {
  const { first, count, weights } = KERNELS[kernel];
  const at = new Int32Array(length * count);
  const shares = new Float64Array(length * count);
  for (let i = 0; i < length; i++) {
    const point = (start + i + 0.5) * (from / to) - 0.5;
    const middle = Math.floor(point);
    shares.set(weights(point - middle), i * count);
    for (let k = 0; k < count; k++) at[i * count + k] = Math.min(from - 1, Math.max(0, middle + first + k));
  }
  return { at, shares, count };
}

/**
 * Resize without antialiasing, and crop, into RGB, shape (size, size, 3), black where the image does not reach; a
 * fourth channel is dropped. As torch's interpolate of float pixels (align_corners false), rounded once, halves to
 * even: torch's own of bytes rounds between the axes too (1 level with bilinear, 3 with bicubic). Throws
 * CONTRACT_INVALID for lanczos.
 */
export function interpolate(source: Source, place: Placement, size: number, kernel: SmoothKernel): Uint8Array {
  if (kernel === 'lanczos')
    throw new PermafrostError(
      'CONTRACT_INVALID',
      'The kernel lanczos without antialiasing is not there. Take bilinear or bicubic, or leave "antialias" out.',
    );
  const { data, width, channels } = source;
  const part = coveredPart(place, size);
  const across = taps(kernel, width, place.width, place.left + part.x, part.width);
  const down = taps(kernel, source.height, place.height, place.top + part.y, part.height);
  const [top, bottom] = [down.at[0]!, down.at.at(-1)! + 1];
  const pitch = part.width * 3;
  const lines = new Float64Array((bottom - top) * pitch);
  for (let y = top, o = 0; y < bottom; y++) {
    for (let x = 0; x < part.width; x++) {
      for (let c = 0; c < 3; c++, o++) {
        for (let k = x * across.count, end = k + across.count; k < end; k++)
          lines[o]! += across.shares[k]! * data[(y * width + across.at[k]!) * channels + c]!;
      }
    }
  }
  // Uint8ClampedArray cuts off below 0 and above 255.
  const out = new Uint8ClampedArray(size * size * 3);
  for (let y = 0; y < part.height; y++) {
    const o = ((part.y + y) * size + part.x) * 3;
    for (let i = 0; i < pitch; i++) {
      let sum = 0;
      for (let k = y * down.count, end = k + down.count; k < end; k++)
        sum += down.shares[k]! * lines[(down.at[k]! - top) * pitch + i]!;
      out[o + i] = roundToEven(sum);
    }
  }
  return new Uint8Array(out.buffer);
}
