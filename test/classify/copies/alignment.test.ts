import { describe, expect, it } from 'vitest';
import { sketchOf } from '../../../src/extract/sketch.ts';
import { align } from '../../../src/classify/copies/alignment.ts';
import { scene } from '../../support/scenes.ts';

const SIDE = 96;
const sketch = (pixels: Uint8Array): Uint8Array => sketchOf(pixels, SIDE);
const original = sketch(scene(1, SIDE));

/** What is done to the pixels of a scene, or to where they lie; and whether it mirrors. */
const COPIES: readonly (readonly [string, Uint8Array, boolean])[] = [
  ['a mirrored one', scene(1, SIDE, (x, y) => [1 - x, y]), true],
  ['one with a tenth cut off', scene(1, SIDE, (x, y) => [0.05 + 0.9 * x, 0.05 + 0.9 * y]), false],
  ['one with a fifth cut off at a corner', scene(1, SIDE, (x, y) => [0.8 * x, 0.2 + 0.8 * y]), false],
  ['one with a border', scene(1, SIDE, (x, y) => [(x - 0.05) / 0.9, (y - 0.05) / 0.9]), false],
  [
    'one turned by 3 degrees',
    scene(1, SIDE, (x, y) => {
      const [u, v, c, s] = [x - 0.5, y - 0.5, Math.cos(0.0524), Math.sin(0.0524)];
      return [0.5 + c * u - s * v, 0.5 + s * u + c * v];
    }),
    false,
  ],
  ['a darker one', scene(1, SIDE).map((value) => value * 0.6), false],
];

describe('two sketches laid over each other', () => {
  it.each(COPIES)('show that %s is a copy', (_, pixels, mirrored) => {
    const found = align(original, sketch(pixels));
    expect(found.correlation).toBeGreaterThan(0.9);
    expect(found.mirrored).toBe(mirrored);
    expect(found.colours).toBeGreaterThan(0.85);
    expect(align(sketch(pixels), original).correlation).toBeGreaterThan(0.9);
  });

  it('show that a grey one is a copy, of whose colours nothing is said', () => {
    const pixels = scene(1, SIDE);
    for (let i = 0; i < pixels.length; i += 3)
      pixels.fill((pixels[i]! + 2 * pixels[i + 1]! + pixels[i + 2]!) / 4, i, i + 3);
    const found = align(original, sketch(pixels));
    expect(found.correlation).toBeGreaterThan(0.9);
    expect(found.colours).toBeNull();
  });

  it('show that other pictures are none', () => {
    for (let number = 2; number < 40; number++)
      expect(align(original, sketch(scene(number, SIDE))).correlation).toBeLessThan(0.9);
  });

  it('show what else is coloured', () => {
    const swapped = scene(1, SIDE);
    for (let i = 0; i < swapped.length; i += 3) [swapped[i], swapped[i + 2]] = [swapped[i + 2]!, swapped[i]!];
    expect(align(original, sketch(swapped)).colours).toBeLessThan(0.5);
  });

  it('say nothing of a plain picture', () => {
    const plain = sketch(new Uint8Array(SIDE * SIDE * 3).fill(255));
    expect(align(plain, plain).correlation).toBe(-1);
  });
});
