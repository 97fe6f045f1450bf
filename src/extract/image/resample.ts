import type { Contract } from '../../core/contract.ts';
import { coveredPart, type Placement, type Source } from './geometry.ts';

export type SmoothKernel = Exclude<Contract['kernel'], 'nearest'>;

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Weight at x >= 0 source pixels, and where it ends (Resample.c of Pillow 13; bicubic with a = -0.5). */
const KERNELS: Readonly<Record<SmoothKernel, { reach: number; weight: (x: number) => number }>> = {
  bilinear: { reach: 1, weight: (x) => (x < 1 ? 1 - x : 0) },
  bicubic: {
    reach: 2,
    weight: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0),
  },
  lanczos: { reach: 3, weight: (x) => (x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Weights are integers over 2^22, so that a sum of 8-bit products stays within 32 bits, as in Pillow. */
const PRECISION = 22;

/** For each output pixel of an axis: the first source pixel, how many count, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  /** Weights lie at output pixel * stride. */
  readonly stride: number;
}

/** Taps of the output pixels [start, start + length) of an axis that is scaled from `from` to `to` pixels. */
function taps(kernel: SmoothKernel, from: number, to: number, start: number, length: number): Taps {
  const { reach, weight } = KERNELS[kernel];
  const step = from / to;
  const widened = Math.max(1, step);
  const support = reach * widened;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  for (let i = 0; i < length; i++) {
    const centre = (start + i + 0.5) * step;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(from, Math.trunc(centre + support + 0.5));
    const raw = Array.from({ length: high - low }, (_, k) => weight(Math.abs((k + low - centre + 0.5) / widened)));
    const sum = raw.reduce((a, b) => a + b, 0);
    [first[i], count[i]] = [low, high - low];
    for (const [k, value] of raw.entries()) {
      const scaled = (value / sum) * 2 ** PRECISION;
      weights[i * stride + k] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }
  return { first, count, weights, stride };
}

/**
 * Antialiased resize and crop into RGB, shape (size, size, 3), black where the image does not reach; a fourth channel
 * is dropped. Byte-identical to Pillow's
 * Image.resize: across, rounded to 8 bits, then down (Pillow 13 turns that round for some tall pictures: a level's
 * difference). Only what the crop needs is computed.
 */
export function resample(source: Source, place: Placement, size: number, kernel: SmoothKernel): Uint8Array {
  const { data, width, channels } = source;
  const part = coveredPart(place, size);
  const across = taps(kernel, width, place.width, place.left + part.x, part.width);
  const down = taps(kernel, source.height, place.height, place.top + part.y, part.height);
  const top = down.first[0]!;
  const bottom = down.first[part.height - 1]! + down.count[part.height - 1]!;
  const half = 2 ** (PRECISION - 1);

  // Uint8ClampedArray cuts off below 0 and above 255.
  const lines = new Uint8ClampedArray((bottom - top) * part.width * 3);
  for (let y = top; y < bottom; y++) {
    for (let x = 0; x < part.width; x++) {
      const n = across.count[x]!;
      let at = (y * width + across.first[x]!) * channels;
      let [r, g, b] = [half, half, half];
      for (let k = x * across.stride, end = k + n; k < end; k++, at += channels) {
        const w = across.weights[k]!;
        r += data[at]! * w;
        g += data[at + 1]! * w;
        b += data[at + 2]! * w;
      }
      const o = ((y - top) * part.width + x) * 3;
      lines[o] = r >> PRECISION;
      lines[o + 1] = g >> PRECISION;
      lines[o + 2] = b >> PRECISION;
    }
  }
  const out = new Uint8ClampedArray(size * size * 3);
  const pitch = part.width * 3;
  for (let y = 0; y < part.height; y++) {
    const n = down.count[y]!;
    const start = (down.first[y]! - top) * pitch;
    const o = ((part.y + y) * size + part.x) * 3;
    for (let i = 0; i < pitch; i++) {
      let sum = half;
      for (let k = 0, at = start + i; k < n; k++, at += pitch) {
        sum += lines[at]! * down.weights[y * down.stride + k]!;
      }
      out[o + i] = sum >> PRECISION;
    }
  }
  return new Uint8Array(out.buffer);
}
