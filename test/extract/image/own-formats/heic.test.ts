import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HEIC } from '../../../../src/extract/image/own-formats/heic.ts';
import { rejection } from '../../../support/errors.ts';

const fixture = (name: string): Buffer => readFileSync(new URL(`../../../fixtures/images/${name}`, import.meta.url));
const gradient = fixture('gradient.heic');
const asPromise = async (bytes: Uint8Array): Promise<unknown> => HEIC.pixels(bytes, false);

describe('a HEIC', () => {
  it('is decoded within two levels of what pillow-heif gives', async () => {
    expect(HEIC.isOne(gradient)).toBe(true);
    expect(await HEIC.header(gradient)).toEqual({ width: 64, height: 48, orientation: 1, hasAlpha: false });
    const { data, channels } = await HEIC.pixels(gradient, false);
    const at = (x: number, y: number) => [...data.subarray((y * 64 + x) * channels, (y * 64 + x) * channels + 3)];
    for (const [x, y, colour] of [
      [5, 5, [254, 0, 0]],
      [58, 5, [0, 0, 254]],
      [20, 40, [81, 200, 120]],
    ] as const) {
      at(x, y).forEach((level, c) => expect(Math.abs(level - colour[c]!)).toBeLessThanOrEqual(2));
    }
  });

  it('keeps its alpha', async () => {
    const bytes = fixture('half-transparent.heic');
    expect(await HEIC.header(bytes)).toMatchObject({ hasAlpha: true });
    const { data, channels } = await HEIC.pixels(bytes, false);
    expect(channels).toBe(4);
    expect([data[5 * 4 + 3], data[58 * 4 + 3]]).toEqual([255, 0]);
  });

  it('is known by its brands, and AVIF by its own', () => {
    const withBrands = (...brands: string[]): Uint8Array => {
      const head = Buffer.alloc(16);
      head.writeUInt32BE(12 + brands.length * 4);
      head.write(`ftyp${brands[0]}`, 4, 'latin1');
      return Buffer.concat([head, Buffer.from(brands.slice(1).join(''), 'latin1')]);
    };
    for (const brands of [['heic', 'mif1'], ['heix'], ['mif1', 'heic'], ['msf1', 'hevc'], ['mif1']])
      expect(HEIC.isOne(withBrands(...brands)), brands.join()).toBe(true);
    for (const brands of [['avif', 'mif1'], ['avis'], ['mif1', 'avif'], ['isom', 'mp42'], ['qt  ']])
      expect(HEIC.isOne(withBrands(...brands)), brands.join()).toBe(false);
  });

  it.each([1, 8, 300, 600])('is refused where its last %i bytes are missing', async (missing) => {
    const error = await rejection(asPromise(gradient.subarray(0, gradient.length - missing)), 'IMAGE_UNDECODABLE');
    expect(error.message).toMatch(/cut off/);
  });

  it('is refused in words where its boxes are damaged', async () => {
    const damaged = Buffer.from(gradient);
    damaged.fill(0xee, 40, 120);
    expect((await rejection(asPromise(damaged), 'IMAGE_UNDECODABLE')).message).toMatch(/libheif does not decode/);
  });
});
