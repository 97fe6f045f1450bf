import sharp, { type Sharp } from 'sharp';
import { random } from '../../src/core/random.ts';

/** Interleaved uint8 pixels, row-major. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Uint8Array;
}

/** A picture from a function of x and y (in pixels) that gives its channels. */
export function paint(width: number, height: number, colour: (x: number, y: number) => readonly number[]): Picture {
  const channels = colour(0, 0).length as 1 | 3 | 4;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(colour(x, y), (y * width + x) * channels);
  }
  return { width, height, channels, data };
}

/** One colour everywhere. */
export const plain = (width: number, height: number, ...colour: number[]): Picture =>
  paint(width, height, () => colour);

/** Coarse coloured blocks under fine noise: no two seeds look alike, no two corners either. */
export function texture(width: number, height: number, seed: number): Picture {
  const generator = random(seed);
  const block = 16;
  const across = Math.ceil(width / block);
  const coarse = Array.from({ length: across * Math.ceil(height / block) * 3 }, () => generator.below(200));
  return paint(width, height, (x, y) => {
    const at = (Math.floor(y / block) * across + Math.floor(x / block)) * 3;
    return [0, 1, 2].map((c) => coarse[at + c]! + generator.below(56));
  });
}

/** The picture for sharp, to be encoded. */
export function toSharp({ data, width, height, channels }: Picture): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

/** The colour of one pixel of interleaved RGB. */
export function pixelAt(rgb: Uint8Array, width: number, x: number, y: number): number[] {
  return [...rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

/** Mean absolute difference of two pictures in levels (0 to 255); Infinity where their lengths differ. */
export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Infinity;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return sum / a.length;
}

/** How many bytes differ; Infinity where the lengths do. */
export function differingBytes(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Infinity;
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}
