import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTRACTS } from '../../../src/extract/contract.ts';
import { coveredPart, layGround, placement, resizeNearest } from '../../../src/extract/image/geometry.ts';
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

describe('the placement around a crop', () => {
  const [cover, squash] = [
    { ...vgg16, resize: 256 },
    { ...keras, resize: 257 },
  ];

  it.each([
    // int(256 * 500 / 375) = 341, and half of 117 or of 118 is cut off on both sides.
    ['of the shorter side', cover, 500, 375, { width: 341, height: 256, left: 58, top: 16 }],
    ['rounded to even', { ...cover, resize: 257 }, 300, 200, { width: 385, height: 257, left: 80, top: 16 }],
    [
      'rounded down',
      { ...cover, resize: 257, crop: 'floor' },
      300,
      200,
      { width: 385, height: 257, left: 80, top: 16 },
    ],
    ['rounded to even', { ...cover, resize: 259 }, 259, 300, { width: 259, height: 300, left: 18, top: 38 }],
    [
      'rounded down',
      { ...cover, resize: 259, crop: 'floor' },
      259,
      300,
      { width: 259, height: 300, left: 17, top: 38 },
    ],
    ['of a squashed picture', squash, 500, 20, { width: 257, height: 257, left: 16, top: 16 }],
  ] as const)('%s is that of torchvision, or of transformers', (_what, contract, width, height, expected) => {
    expect(placement(contract, width, height)).toEqual(expected);
  });
});

describe('the placement on a ground', () => {
  const padded = { ...vgg16, geometry: 'contain-pad' } as const;

  it.each([
    // By timm's ResizeKeepRatio(longest=1) and CenterCropOrPad: round(side / ratio), and (size - side) // 2 before it.
    [500, 375, { width: 224, height: 168, left: 0, top: -28 }],
    [375, 500, { width: 168, height: 224, left: -28, top: 0 }],
    [448, 333, { width: 224, height: 166, left: 0, top: -29 }],
    [448, 331, { width: 224, height: 166, left: 0, top: -29 }],
    [448, 334, { width: 224, height: 167, left: 0, top: -28 }],
    [10_000, 3, { width: 224, height: 1, left: 0, top: -111 }],
    [7, 7, { width: 224, height: 224, left: 0, top: 0 }],
  ])('of %i x %i pixels is that of timm', (width, height, expected) => {
    expect(placement(padded, width, height)).toEqual(expected);
  });

  it('shows the whole picture, and is cut to the square where it is scaled to more', () => {
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 60 }),
        (width, height, size, more) => {
          const place = placement({ ...padded, size, resize: size + more }, width, height);
          expect(Math.max(place.width, place.height)).toBe(size + more);
          const part = coveredPart(place, size);
          expect(part.width).toBe(Math.min(size, place.width));
          expect(part.height).toBe(Math.min(size, place.height));
          const after = size - part.x - part.width;
          expect(after === part.x || after === part.x + 1).toBe(true);
        },
      ),
    );
  });

  it('is coloured around the picture alone', () => {
    const square = paint(4, 4, () => [9, 9, 9]).data;
    layGround(square, 4, { x: 1, y: 0, width: 2, height: 3 }, [1, 2, 3]);
    const row = (y: number): string => [0, 1, 2, 3].map((x) => square[(y * 4 + x) * 3]).join('');
    expect([0, 1, 2, 3].map(row)).toEqual(['1991', '1991', '1991', '1111']);
    expect([...square.subarray(0, 6)]).toEqual([1, 2, 3, 9, 9, 9]);
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
