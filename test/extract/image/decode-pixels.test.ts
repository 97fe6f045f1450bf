import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { CONTRACTS, type Contract } from '../../../src/extract/contract.ts';
import { decode, decodePixels, readHeader } from '../../../src/extract/image/decode.ts';
import { rejection } from '../../support/errors.ts';

/** Noise of any size, so that a wrong crop or another kernel shows in every pixel. */
function noise(width: number, height: number, channels: 3 | 4) {
  const source = random(width * height + channels);
  return {
    data: Uint8Array.from({ length: width * height * channels }, () => source.below(256)),
    width,
    height,
    channels,
  };
}

const { vgg16 } = CONTRACTS as Record<string, Contract>;
const WAYS: Readonly<Record<string, Contract>> = {
  ...CONTRACTS,
  squashed: { ...vgg16!, geometry: 'squash', kernel: 'lanczos' },
  padded: { ...vgg16!, geometry: 'contain-pad', pad: [1, 120, 250], alpha: 'drop' },
  'a crop of a larger square': { ...vgg16!, size: 64, resize: 80, kernel: 'bicubic', rounding: 'pillow' },
  'not antialiased': { ...vgg16!, antialias: false },
};

const SIZES = [
  [300, 200],
  [90, 240],
  [224, 224],
  [224, 301],
  [299, 256],
  [100, 80],
  [31, 17],
] as const;

describe('pixels that are decoded already', () => {
  it.each(Object.entries(WAYS))('become the square that a lossless PNG of them becomes: %s', async (_, contract) => {
    for (const [width, height] of SIZES)
      for (const channels of [3, 4] as const) {
        const pixels = noise(width, height, channels);
        const png = await sharp(pixels.data, { raw: { width, height, channels } }).png().toBuffer();
        const expected = await decode(png, await readHeader(png), contract);
        expect(Buffer.compare(await decodePixels(pixels, contract), expected)).toBe(0);
      }
  });

  it('are refused where their number is not what their size says', async () => {
    const contract = Object.values(CONTRACTS)[0]!;
    const { message } = await rejection(decodePixels({ ...noise(4, 4, 3), height: 5 }, contract), 'IMAGE_UNDECODABLE');
    expect(message).toBe('It has 48 bytes, and 4 x 5 pixels of 3 channels are 60.');
    await rejection(decodePixels({ ...noise(4, 4, 3), channels: 1 }, contract), 'IMAGE_UNDECODABLE');
    await rejection(decodePixels({ ...noise(4, 4, 3), width: 0 }, contract), 'IMAGE_UNDECODABLE');
  });
});
