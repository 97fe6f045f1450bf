import { describe, expect, it } from 'vitest';
import { fromLossless, toLossless } from '../../src/extract/lossless-square.ts';
import { random } from '../../src/core/random.ts';
import { rejection } from '../support/errors.ts';

const SIZE = 33;
const generator = random(1);
const noise = Uint8Array.from({ length: SIZE * SIZE * 3 }, () => generator.below(256));

describe('a square that is kept', () => {
  it('comes back to the last bit', async () => {
    expect(Buffer.from(await fromLossless(await toLossless(noise, SIZE), SIZE)).equals(noise)).toBe(true);
  });

  it('of another size, or that is no picture at all, is refused', async () => {
    const file = await toLossless(noise, SIZE);
    await rejection(fromLossless(file, SIZE - 1), 'IMAGE_UNDECODABLE');
    await rejection(fromLossless(file, SIZE + 1), 'IMAGE_UNDECODABLE');
    await rejection(fromLossless(noise, SIZE), 'IMAGE_UNDECODABLE');
  });
});
