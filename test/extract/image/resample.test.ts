import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import type { Contract } from '../../../src/core/contract.ts';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { decode, readHeader } from '../../../src/extract/image/decode.ts';
import { RESAMPLE_PASSES, RESAMPLE_PASSES_TEXT } from '../../../src/extract/image/resample-passes.ts';
import { resample, type SmoothKernel } from '../../../src/extract/image/resample.ts';
import {
  differingBytes,
  meanDifference,
  paint,
  pixelAt,
  plain,
  texture,
  toSharp,
  type Picture,
} from '../../support/pictures.ts';

const KERNELS: readonly SmoothKernel[] = ['bilinear', 'bicubic', 'lanczos'];
const whole = (side: number) => ({ width: side, height: side, left: 0, top: 0 });

async function decoded(picture: Picture, contract: Contract): Promise<Uint8Array> {
  const png = await toSharp(picture).png().toBuffer();
  return decode(png, await readHeader(png), contract);
}

/**
 * Bilinear resize of one pixel by the definition, in float64 and over both axes at once: a tent around its middle, as
 * wide as the scale when the picture shrinks, divided by what of the tent lies in the picture.
 */
function reference(
  { width, height, data }: Picture,
  toWidth: number,
  toHeight: number,
  x: number,
  y: number,
): number[] {
  const tent = (from: number, to: number, at: number): [i: number, weight: number][] => {
    const step = from / to;
    const reach = Math.max(1, step);
    const all = Array.from({ length: from }, (_, i): [number, number] => [
      i,
      Math.max(0, 1 - Math.abs(i + 0.5 - (at + 0.5) * step) / reach),
    ]);
    const sum = all.reduce((total, [, weight]) => total + weight, 0);
    return all.filter(([, weight]) => weight > 0).map(([i, weight]) => [i, weight / sum]);
  };
  const across = tent(width, toWidth, x);
  const down = tent(height, toHeight, y);
  return [0, 1, 2].map((c) =>
    down.reduce(
      (total, [i, wy]) => total + wy * across.reduce((line, [j, wx]) => line + wx * data[(i * width + j) * 3 + c]!, 0),
      0,
    ),
  );
}

describe('the contract vgg16', () => {
  it.each([
    // width, height, and by torchvision's rules: scaled size and start of the crop
    ['shrinks', 500, 375, 298, 224, 37, 0],
    ['shrinks', 300, 401, 224, 299, 0, 38],
    ['enlarges', 150, 100, 336, 224, 56, 0],
    ['enlarges', 32, 32, 224, 224, 0, 0],
  ])('%s and crops %i x %i pixels as the definition says', async (_what, width, height, w, h, left, top) => {
    const picture = texture(width, height, 11);
    const pixels = await decoded(picture, CONTRACTS.vgg16);
    const [expected, found, shifted]: number[][] = [[], [], []];
    for (let y = 1; y < 223; y += 9) {
      for (let x = 1; x < 223; x += 9) {
        expected!.push(...reference(picture, w, h, x + left, y + top));
        found!.push(...pixelAt(pixels, 224, x, y));
        shifted!.push(...pixelAt(pixels, 224, x + 1, y));
      }
    }
    const difference = (a: number[]): number =>
      a.reduce((sum, value, i) => sum + Math.abs(value - expected![i]!), 0) / a.length;
    // Half a level is lost to rounding at most twice; libvips rounds its weights too. One pixel beside, it is 4 levels
    // and more.
    expect(difference(found!)).toBeLessThan(0.5);
    expect(difference(shifted!)).toBeGreaterThan(2);
  });

  it('keeps a symmetric picture symmetric, whether it is shrunk or enlarged', async () => {
    for (const side of [10, 50, 223, 225, 300, 700]) {
      const ring = paint(side, side, (x, y) => {
        const [u, v] = [Math.min(x, side - 1 - x), Math.min(y, side - 1 - y)];
        return [(u * 255) / side, (v * 255) / side, (u * v) % 256];
      });
      const pixels = await decoded(ring, CONTRACTS.vgg16);
      const mirrored = paint(224, 224, (x, y) => pixelAt(pixels, 224, 223 - x, 223 - y));
      // One level: the two sides of a tie may round apart.
      expect(meanDifference(pixels, mirrored.data)).toBeLessThan(0.5);
    }
  });
});

/** The same by the definition: sums of whole weights over 2^22, rounded to a level across, and again down. */
function bySums(picture: Picture, side: number, weigh: (x: number) => number, reach: number): number[] {
  const taps = (from: number): number[][] =>
    Array.from({ length: side }, (_, i) => {
      const step = from / side;
      const widened = Math.max(1, step);
      const centre = (i + 0.5) * step;
      const inside = (k: number): boolean =>
        k >= Math.trunc(centre - reach * widened + 0.5) && k < Math.trunc(centre + reach * widened + 0.5);
      const raw = Array.from({ length: from }, (_w, k) =>
        inside(k) ? weigh(Math.abs((k - centre + 0.5) / widened)) : 0,
      );
      const sum = raw.reduce((a, b) => a + b, 0);
      return raw.map((value) => Math.sign(value) * Math.floor((Math.abs(value) / sum) * 2 ** 22 + 0.5));
    });
  const level = (sum: number): number => Math.min(255, Math.max(0, Math.floor((sum + 2 ** 21) / 2 ** 22)));
  const [across, down] = [taps(picture.width), taps(picture.height)];
  const lines = Array.from({ length: picture.height }, (_, y) =>
    across.map((weights) =>
      [0, 1, 2].map((c) =>
        level(weights.reduce((sum, w, x) => sum + w * pixelAt(picture.data, picture.width, x, y)[c]!, 0)),
      ),
    ),
  );
  return down.flatMap((weights) =>
    across.flatMap((_, x) =>
      [0, 1, 2].map((c) => level(weights.reduce((sum, w, y) => sum + w * lines[y]![x]![c]!, 0))),
    ),
  );
}

describe('resampling', () => {
  it('runs what is assembled of the text beside it', async () => {
    const assembler = await wabt();
    const { buffer } = assembler.parseWat('passes.wat', RESAMPLE_PASSES_TEXT, { simd: true }).toBinary({});
    expect(Buffer.compare(RESAMPLE_PASSES, buffer)).toBe(0);
  });

  it.each([3, 4])('gives what sums of whole weights give, to the byte, of sources of %i channels', (channels) => {
    const cubic = (x: number): number =>
      x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 24 }),
        fc.integer(),
        (width, height, side, seed) => {
          const picture = texture(width, height, seed);
          const data = new Uint8Array(width * height * channels).fill(77);
          for (let i = 0; i < width * height; i++) data.set(picture.data.subarray(i * 3, i * 3 + 3), i * channels);
          const found = resample({ data, width, height, channels }, whole(side), side, 'bicubic');
          expect([...found]).toEqual(bySums(picture, side, cubic, 2));
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(KERNELS)('leaves one colour as it is and never leaves 0..255, with %s', (kernel) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 255 }),
        (width, height, side, level) => {
          const flat = resample(plain(width, height, level, 0, 255), whole(side), side, kernel);
          expect(differingBytes(flat, plain(side, side, level, 0, 255).data)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(KERNELS)('at the same size gives the same pixels, with %s', (kernel) => {
    const picture = texture(40, 40, 12);
    expect(resample(picture, whole(40), 40, kernel)).toEqual(picture.data);
  });

  it.each(KERNELS)('of a part is the part of the whole, with %s', (kernel) => {
    const picture = texture(70, 50, 13);
    const all = resample(picture, whole(90), 90, kernel);
    const part = resample(picture, { width: 90, height: 90, left: 31, top: 7 }, 40, kernel);
    expect(part).toEqual(paint(40, 40, (x, y) => pixelAt(all, 90, x + 31, y + 7)).data);
  });

  it('overshoots at an edge with lanczos and bicubic, and clips there; bilinear does neither', () => {
    const edge = paint(20, 1, (x) => (x < 10 ? [60, 0, 255] : [200, 255, 0]));
    const levels = (kernel: SmoothKernel): number[] => {
      const out = resample(edge, { width: 60, height: 3, left: 20, top: 0 }, 20, kernel);
      return Array.from({ length: 20 }, (_, x) => out[x * 3]!);
    };
    for (const kernel of ['bicubic', 'lanczos'] as const) {
      expect(Math.min(...levels(kernel))).toBeLessThan(60);
      expect(Math.max(...levels(kernel))).toBeGreaterThan(200);
    }
    expect(Math.min(...levels('bilinear'))).toBe(60);
    expect(Math.max(...levels('bilinear'))).toBe(200);
  });
});
