import type { Contract } from '../../core/contract.ts';
import { coveredPart, type Placement, type Source } from './geometry.ts';
import { RESAMPLE_PASSES } from './resample-passes.ts';

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
  /** Those of an output pixel lie at output pixel * stride, zeros behind them. */
  readonly weights: Int32Array;
  /** A multiple of 4: so many pixels are taken at a time. */
  readonly stride: number;
}

/** Taps of the output pixels [start, start + length) of an axis that is scaled from `from` to `to` pixels. */
function tapsOf(kernel: SmoothKernel, from: number, to: number, start: number, length: number): Taps {
  const { reach, weight } = KERNELS[kernel];
  const step = from / to;
  const widened = Math.max(1, step);
  const support = reach * widened;
  const stride = Math.ceil((Math.ceil(support) * 2 + 1) / 4) * 4;
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

/** Pictures of a data set often have few sizes: the taps of so many axes are kept. */
const MOST_TAPS = 32;
const kept = new Map<string, Taps>();

function taps(...axis: Parameters<typeof tapsOf>): Taps {
  const key = axis.join(' ');
  const found = kept.get(key) ?? tapsOf(...axis);
  kept.delete(key);
  kept.set(key, found);
  if (kept.size > MOST_TAPS) kept.delete(kept.keys().next().value!);
  return found;
}

interface Passes {
  readonly memory: WebAssembly.Memory;
  readonly across: (
    ...args: readonly [
      input: number,
      inputPitch: number,
      rows: number,
      output: number,
      outputPitch: number,
      size: number,
      starts: number,
      weights: number,
      groups: number,
    ]
  ) => void;
  readonly down: (
    ...args: readonly [input: number, pitch: number, output: number, bytes: number, weights: number, count: number]
  ) => void;
}

/** WebAssembly's memory comes in pages of so many bytes. */
const PAGE_BYTES = 65_536;
/** Source rows that are in its memory at a time; even. */
const STRIP = 32;

let passes: Passes | undefined;

/** Memory of at least `bytes`, and what works on it; what it held before is of no use any more. */
function withMemory(bytes: number): Passes & { readonly bytes: Uint8Array; readonly integers: Int32Array } {
  passes ??= new WebAssembly.Instance(new WebAssembly.Module(RESAMPLE_PASSES)).exports as unknown as Passes;
  const missing = bytes - passes.memory.buffer.byteLength;
  if (missing > 0) passes.memory.grow(Math.ceil(missing / PAGE_BYTES));
  const { buffer } = passes.memory;
  return { ...passes, bytes: new Uint8Array(buffer), integers: new Int32Array(buffer) };
}

/** Places in memory, one behind the other, each with room for what is read or written 16 bytes at a time. */
function places() {
  let end = 0;
  return {
    take(bytes: number): number {
      const at = end;
      end = Math.ceil((end + bytes) / 16) * 16 + 16;
      return at;
    },
    end: () => end,
  };
}

/** Copies rows of a source as RGB. */
function copyRows({ data, width, channels }: Source, first: number, rows: number, to: Uint8Array): void {
  const pitch = width * channels;
  if (channels === 3) {
    to.set(data.subarray(first * pitch, (first + rows) * pitch));
    return;
  }
  for (let at = first * pitch, o = 0; o < rows * width * 3; at += channels, o += 3) {
    to[o] = data[at]!;
    to[o + 1] = data[at + 1]!;
    to[o + 2] = data[at + 2]!;
  }
}

/**
 * Antialiased resize and crop into RGB, shape (size, size, 3), black where the image does not reach; a fourth channel
 * is dropped. Byte-identical to Pillow's Image.resize: across, rounded to 8 bits, then down (Pillow 13 turns that round
 * for pictures that shrink much more in height: a level's difference). Only what the crop needs is computed.
 */
export function resample(source: Source, place: Placement, size: number, kernel: SmoothKernel): Uint8Array {
  const part = coveredPart(place, size);
  const across = taps(kernel, source.width, place.width, place.left + part.x, part.width);
  const down = taps(kernel, source.height, place.height, place.top + part.y, part.height);
  const top = down.first[0]!;
  const rows = down.first[part.height - 1]! + down.count[part.height - 1]! - top;

  const pitch = source.width * 3;
  const outPitch = part.width * 3;
  // One byte more is written behind each row.
  const linePitch = Math.ceil((outPitch + 1) / 16) * 16;
  const room = places();
  const starts = room.take(part.width * 4);
  const acrossWeights = room.take(across.weights.byteLength);
  const downWeights = room.take(down.weights.byteLength);
  const strip = room.take((STRIP + 1) * pitch + across.stride * 3);
  const lines = room.take((rows + 1) * linePitch);
  const result = room.take(part.height * outPitch);
  const memory = withMemory(room.end());

  memory.integers.set(across.weights, acrossWeights / 4);
  memory.integers.set(down.weights, downWeights / 4);
  const firstBytes = across.first.map((pixel) => pixel * 3);
  memory.integers.set(firstBytes, starts / 4);
  for (let y = 0; y < rows; y += STRIP) {
    const some = Math.min(STRIP, rows - y);
    copyRows(source, top + y, some, memory.bytes.subarray(strip, strip + some * pitch));
    const to = lines + y * linePitch;
    memory.across(strip, pitch, some, to, linePitch, part.width, starts, acrossWeights, across.stride / 4);
  }
  for (let y = 0; y < part.height; y++) {
    const from = lines + (down.first[y]! - top) * linePitch;
    const weights = downWeights + y * down.stride * 4;
    memory.down(from, linePitch, result + y * outPitch, outPitch, weights, down.count[y]!);
  }

  const out = new Uint8Array(size * size * 3);
  for (let y = 0; y < part.height; y++) {
    const from = result + y * outPitch;
    out.set(memory.bytes.subarray(from, from + outPitch), ((part.y + y) * size + part.x) * 3);
  }
  return out;
}
