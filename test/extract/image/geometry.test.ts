import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { placement, resizeNearest } from '../../../src/extract/image/geometry.ts';
import { paint, plain } from '../../support/pictures.ts';

const { vgg16, keras } = CONTRACTS;
const side = fc.integer({ min: 1, max: 20_000 });

describe('the placement of an image', () => {
  it('covers the square, cuts inside the image, in its middle, and keeps the aspect within a pixel', () => {
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 512 }), (width, height, size) => {
        const place = placement({ ...vgg16, size }, width, height);
        expect(Math.min(place.width, place.height)).toBe(size);
        for (const [scaled, original, start] of [
          [place.width, width, place.left],
          [place.height, height, place.top],
        ] as const) {
          expect(Number.isInteger(scaled) && Number.isInteger(start)).toBe(true);
          expect(start).toBeGreaterThanOrEqual(0);
          expect(start + size).toBeLessThanOrEqual(scaled);
          expect(Math.abs(start - (scaled - size) / 2)).toBeLessThanOrEqual(0.5);
          expect(Math.abs(scaled - (original * size) / Math.min(width, height))).toBeLessThan(1);
        }
      }),
    );
  });

  it.each([
    // By the formulas of torchvision's Resize and CenterCrop: int(size * long / short), and round to even of half the
    // rest.
    [500, 375, { width: 298, height: 224, left: 37, top: 0 }],
    [375, 500, { width: 224, height: 298, left: 0, top: 37 }],
    [224, 225, { width: 224, height: 225, left: 0, top: 0 }],
    [227, 224, { width: 227, height: 224, left: 2, top: 0 }],
    [100, 100, { width: 224, height: 224, left: 0, top: 0 }],
  ])('of %i x %i pixels is that of torchvision', (width, height, expected) => {
    expect(placement(vgg16, width, height)).toEqual(expected);
  });

  it('is the whole square under squash, whatever the aspect', () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        expect(placement(keras, width, height)).toEqual({ width: 224, height: 224, left: 0, top: 0 });
      }),
    );
  });
});

describe('nearest-neighbour resize', () => {
  const grid = paint(8, 6, (x, y) => [x, y, 100]);

  it('takes the middle pixel of each block when it shrinks, and repeats pixels when it grows', () => {
    const small = resizeNearest(grid, { width: 4, height: 3, left: 0, top: 0 }, 3);
    const middle = [1, 3, 5].flatMap((y) => [1, 3, 5].flatMap((x) => [x, y, 100]));
    expect([...small]).toEqual(middle);
    const large = resizeNearest(plain(1, 1, 9, 8, 7), { width: 4, height: 4, left: 0, top: 0 }, 4);
    expect([...large]).toEqual(Array.from({ length: 16 }, () => [9, 8, 7]).flat());
  });

  it('cuts out the square at left and top', () => {
    const cut = resizeNearest(grid, { width: 8, height: 6, left: 5, top: 2 }, 2);
    expect([...cut]).toEqual([5, 2, 100, 6, 2, 100, 5, 3, 100, 6, 3, 100]);
  });

  it('drops a fourth channel', () => {
    const rgba = paint(8, 6, (x, y) => [x, y, 100, 255 - x]);
    const place = { width: 5, height: 5, left: 1, top: 0 };
    expect(resizeNearest(rgba, place, 4)).toEqual(resizeNearest(grid, place, 4));
  });

  it('never leaves the image, at any size', () => {
    fc.assert(
      fc.property(side, fc.integer({ min: 1, max: 400 }), (width, size) => {
        const line = { data: new Uint8Array(width * 3).fill(1), width, height: 1, channels: 3 };
        const place = { width: size, height: size, left: 0, top: 0 };
        expect(resizeNearest(line, place, size).every((value) => value === 1)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
