import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import { resolveOptions } from '../../../src/core/options.ts';
import { applyView } from '../../../src/extract/image/augment.ts';
import { UNCHANGED, VIEW_DEFAULTS, VIEW_OPTIONS, viewParameters } from '../../../src/extract/image/view-parameters.ts';
import { textWith } from '../../support/errors.ts';
import { paint, pixelAt, texture } from '../../support/pictures.ts';
import { anyView } from '../../support/views.ts';

const side = fc.integer({ min: 1, max: 24 });
const seed = fc.nat(1000);

/** Each grey level once, as 16 x 16 RGB. */
const greys = paint(16, 16, (x, y) => [y * 16 + x, y * 16 + x, y * 16 + x]).data;
const brightened = (brightness: number): number[] =>
  [...applyView(greys, 16, { ...UNCHANGED, brightness })].filter((_, i) => i % 3 === 0);

describe('a view', () => {
  it('without parameters is the image, in bytes of its own', () => {
    fc.assert(
      fc.property(side, seed, (size, from) => {
        const { data } = texture(size, size, from);
        const view = applyView(data, size, UNCHANGED);
        expect(view).toEqual(data);
        expect(view.buffer).not.toBe(data.buffer);
      }),
    );
  });

  it('flipped twice is the image, and flipped once is its mirror image', () => {
    fc.assert(
      fc.property(side, seed, (size, from) => {
        const { data } = texture(size, size, from);
        const flip = { ...UNCHANGED, flip: true };
        const once = applyView(data, size, flip);
        expect(once).toEqual(paint(size, size, (x, y) => pixelAt(data, size, size - 1 - x, y)).data);
        expect(applyView(once, size, flip)).toEqual(data);
      }),
    );
  });

  it('is flipped after all else: it is the mirror image of the view that is not, to the byte', () => {
    fc.assert(
      fc.property(side, seed, anyView, (size, from, view) => {
        const { data } = texture(size, size, from);
        const plain = applyView(data, size, { ...view, flip: false });
        const flipped = applyView(data, size, { ...view, flip: true });
        expect(flipped).toEqual(paint(size, size, (x, y) => pixelAt(plain, size, size - 1 - x, y)).data);
      }),
    );
  });

  it('shifted by whole pixels moves them unchanged, up and to the left, and draws the border out', () => {
    fc.assert(
      fc.property(side, seed, fc.integer(), fc.integer(), (size, from, a, b) => {
        const { data } = texture(size, size, from);
        const [down, across] = [a % size, b % size];
        const view = { ...UNCHANGED, shiftRows: down / size, shiftColumns: across / size };
        const within = (v: number): number => Math.min(Math.max(v, 0), size - 1);
        expect(applyView(data, size, view)).toEqual(
          paint(size, size, (x, y) => pixelAt(data, size, within(x + across), within(y + down))).data,
        );
      }),
    );
  });

  it('turned by 90 degrees moves each pixel anticlockwise, unchanged', () => {
    fc.assert(
      fc.property(side, seed, (size, from) => {
        const { data } = texture(size, size, from);
        expect(applyView(data, size, { ...UNCHANGED, rotation: 90 })).toEqual(
          paint(size, size, (x, y) => pixelAt(data, size, size - 1 - y, x)).data,
        );
      }),
    );
  });

  it('rounds to the nearest level, halves to even', () => {
    // Half way between two columns of 10 and 11, 11 and 12.
    const row = [10, 11, 12];
    const { data } = paint(3, 3, (x) => [row[x]!, row[x]!, row[x]!]);
    const half = applyView(data, 3, { ...UNCHANGED, shiftColumns: 0.5 / 3 });
    expect([0, 1, 2].map((x) => pixelAt(half, 3, x, 1)[0])).toEqual([10, 12, 12]);
    const quarter = applyView(data, 3, { ...UNCHANGED, shiftColumns: 0.75 / 3 });
    expect([0, 1, 2].map((x) => pixelAt(quarter, 3, x, 1)[0])).toEqual([11, 12, 12]);
  });

  it('leaves the pixels that it is given as they are', () => {
    const { data } = texture(20, 20, 1);
    const before = data.slice();
    applyView(data, 20, { ...UNCHANGED, rotation: 30, flip: true, brightness: 0.5 });
    expect(data).toEqual(before);
  });

  it('of pixels that are no square of that size is refused, with both numbers', () => {
    expect(() => applyView(new Uint8Array(300), 11, UNCHANGED)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: textWith('11 x 11 RGB pixels needs 363 bytes, got 300'),
      }),
    );
  });
});

describe('views drawn from a plan', () => {
  const { data } = texture(32, 32, 5);
  const image = sha256Hex('an image');
  const bytes = (from: number, sha256: string, view: number): string =>
    sha256Hex(applyView(data, 32, viewParameters(VIEW_DEFAULTS, from, sha256, view)));

  it('have the same bytes for the same seed, content and number, in whatever order they are made', () => {
    const forth = [0, 1, 2, 3, 4].map((view) => bytes(1, image, view));
    const back = [4, 3, 2, 1, 0].map((view) => bytes(1, image, view)).reverse();
    expect(back).toEqual(forth);
    expect(forth[0]).toBe(sha256Hex(data));
  });

  it('differ between numbers, contents and seeds', () => {
    const all = [1, 2, 3].flatMap((from) =>
      ['a', 'b', 'c'].flatMap((name) => [1, 2, 3, 4, 5].map((view) => bytes(from, sha256Hex(name), view))),
    );
    expect(new Set(all).size).toBe(45);
  });

  it('have these bytes under the recipe keras-affine-1: whoever changes them must name another recipe', () => {
    const plan = resolveOptions('views', VIEW_OPTIONS, { rotation: 20, shift: 0.1, brightness: 0.3 });
    const made = [1, 2, 3].map((view) => applyView(data, 32, viewParameters(plan, 1, image, view)));
    expect(made.map((view) => sha256Hex(view).slice(0, 16))).toEqual([
      'f183ed3ccf335ca1',
      '49ca1ad4a78e972f',
      'b962dddb0d8c98e1',
    ]);
  });
});

describe('brightness', () => {
  it('multiplies and cuts off, and white stays the end', () => {
    expect(brightened(1)).toEqual([...Array(256).keys()]);
    expect(brightened(0)).toEqual(Array(256).fill(0));
    expect(brightened(0.5)).toEqual([...Array(256).keys()].map((v) => Math.trunc(v / 2)));
    expect(brightened(1.5)).toEqual([...Array(256).keys()].map((v) => Math.min(255, Math.trunc(v * 1.5))));
  });

  it('computes in float32, as Pillow does: float64 gives other bytes', () => {
    // What ImageEnhance.Brightness of Pillow 13.0 makes of these levels.
    const levels = (factor: number, ...at: number[]): number[] => at.map((v) => brightened(factor)[v]!);
    expect(levels(155 / 255, 51, 102, 153, 204)).toEqual([31, 62, 93, 124]);
    expect(levels(309 / 255, 85, 170)).toEqual([103, 206]);
    // 1.3 is a little less in float32.
    expect(levels(1.3, 170)).toEqual([220]);
  });

  it('comes after the rounding of the affine map', () => {
    fc.assert(
      fc.property(side, seed, anyView, fc.double({ min: 0, max: 2, noNaN: true }), (size, from, view, brightness) => {
        const { data } = texture(size, size, from);
        const rounded = applyView(data, size, view);
        expect(applyView(data, size, { ...view, brightness })).toEqual(
          applyView(rounded, size, { ...UNCHANGED, brightness }),
        );
      }),
    );
  });

  const python = process.env.PERMAFROST_PYTHON ?? 'python3';
  const found = spawnSync(python, ['-c', 'import PIL.ImageEnhance']).status === 0;
  const title = found ? 'Pillow' : `Pillow [skipped: "${python}" cannot import PIL]`;
  it.skipIf(!found)(`of each level is that of ${title}, for factors from 0 to 2`, () => {
    const factors = Array.from({ length: 256 }, (_, i) => (i * 2) / 255);
    const script = `
import json, sys
from PIL import Image, ImageEnhance
greys = Image.frombytes("L", (256, 1), bytes(range(256)))
print(json.dumps([list(ImageEnhance.Brightness(greys).enhance(factor).tobytes()) for factor in json.loads(sys.argv[1])]))`;
    const text = execFileSync(python, ['-c', script, JSON.stringify(factors)], { encoding: 'utf8' });
    expect(factors.map(brightened)).toEqual(JSON.parse(text));
  });
});
