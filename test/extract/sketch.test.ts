import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLOUR_BYTES, COLOUR_SIDE, GREY_BYTES, SKETCH_SIDE } from '../../src/core/sketch.ts';
import { sketchOf } from '../../src/extract/sketch.ts';

/** Mean of a mix of the colours over one cell, with whole numbers of any length. */
function meanOf(
  pixels: Uint8Array,
  size: number,
  side: number,
  cell: number,
  parts: readonly bigint[],
  offset: bigint,
) {
  const [cx, cy] = [cell % side, Math.floor(cell / side)];
  const share = (pixel: number, at: number): bigint =>
    BigInt(Math.max(0, Math.min((at + 1) * size, (pixel + 1) * side) - Math.max(at * size, pixel * side)));
  let sum = 0n;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      for (const [channel, part] of parts.entries())
        sum += share(x, cx) * share(y, cy) * part * BigInt(pixels[(y * size + x) * 3 + channel]!);
  const total = 1000n * BigInt(size * size);
  const doubled = 2n * (sum + offset * total) + total;
  const mean = doubled / (2n * total);
  return Number(mean > 255n ? 255n : mean);
}

describe('a sketch', () => {
  it('holds the mean grey and colours of the area of each of its pixels, to the byte', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 3, max: 40 })
          .chain((size) =>
            fc.tuple(fc.constant(size), fc.uint8Array({ minLength: size * size * 3, maxLength: size * size * 3 })),
          ),
        fc.integer({ min: 0, max: GREY_BYTES - 1 }),
        fc.integer({ min: 0, max: COLOUR_BYTES - 1 }),
        ([size, pixels], grey, colour) => {
          const sketch = sketchOf(pixels, size);
          expect(sketch[grey]).toBe(meanOf(pixels, size, SKETCH_SIDE, grey, [299n, 587n, 114n], 0n));
          expect(sketch[GREY_BYTES + colour]).toBe(
            meanOf(pixels, size, COLOUR_SIDE, colour, [-169n, -331n, 500n], 128n),
          );
          expect(sketch[GREY_BYTES + COLOUR_BYTES + colour]).toBe(
            meanOf(pixels, size, COLOUR_SIDE, colour, [500n, -419n, -81n], 128n),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of grey pixels has no colour, and pure colours stay within a byte', () => {
    const square = (r: number, g: number, b: number) =>
      sketchOf(
        Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => [r, g, b][i % 3]!),
        64,
      );
    expect(new Set(square(77, 77, 77))).toEqual(new Set([77, 128]));
    expect(new Set(square(0, 0, 255).subarray(GREY_BYTES, GREY_BYTES + COLOUR_BYTES))).toEqual(new Set([255]));
    expect(new Set(square(255, 0, 0).subarray(GREY_BYTES + COLOUR_BYTES))).toEqual(new Set([255]));
  });
});
