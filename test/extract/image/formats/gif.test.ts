import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../../src/extract/image/decode.ts';
import { gifPixels } from '../../../../src/extract/image/formats/gif-lzw.ts';
import { colours, keras, viewer } from '../../../support/decoded.ts';
import { rejection } from '../../../support/errors.ts';
import { paint, toSharp } from '../../../support/pictures.ts';

const PALETTE = [
  [10, 20, 30],
  [200, 100, 50],
  [0, 255, 0],
  [255, 255, 0],
] as const;

/** The four colours as the global table of a GIF of width x height, and its parts in turn. */
function gif(width: number, height: number, ...parts: readonly Buffer[]): Buffer {
  const head = Buffer.from([...Buffer.from('GIF89a'), width, 0, height, 0, 0x81, 0, 0, ...PALETTE.flat()]);
  return Buffer.concat([head, ...parts, Buffer.from([0x3b])]);
}

/** The graphic control extension that makes a colour of the table transparent. */
const transparent = (index: number): Buffer => Buffer.from([0x21, 0xf9, 4, 1, 0, 0, index, 0]);

/** A frame of indices 0 to 3 in codes of three bits: a clear code before each second one keeps them so short. */
function frame(left: number, top: number, width: number, height: number, indices: readonly number[]): Buffer {
  const codes = indices.flatMap((index) => [4, index]).concat(5);
  const bits = codes.map((code) => [code & 1, (code >> 1) & 1, (code >> 2) & 1]).flat();
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [i, bit] of bits.entries()) bytes[i >> 3]! |= bit << (i & 7);
  return Buffer.concat([
    Buffer.from([0x2c, left, 0, top, 0, width, 0, height, 0, 0, 2, bytes.length]),
    bytes,
    Buffer.from([0]),
  ]);
}

const first = frame(0, 0, 2, 2, [0, 1, 2, 3]);
const all = PALETTE.map((colour) => [...colour]);

describe('the first frame of a GIF', () => {
  it('counts, whatever is wrong with later ones', async () => {
    const broken = Buffer.from(first).fill(0xff, 12, 14);
    for (const later of [broken, first.subarray(0, 12), Buffer.from('no block'), frame(0, 0, 200, 200, [1])]) {
      for (const contract of [keras, viewer])
        expect(await colours(gif(2, 2, first, later), contract, 2, 2)).toEqual(all);
    }
  });

  it('shows the colours of its palette under keras also where they are transparent; a viewer sees through', async () => {
    const bytes = gif(2, 2, transparent(1), first);
    expect(await colours(bytes, keras, 2, 2)).toEqual(all);
    expect(await colours(bytes, viewer, 2, 2)).toEqual([all[0], [255, 255, 255], all[2], all[3]]);
  });

  it('that does not fill the picture has around it the transparent or first colour under keras, and white in a viewer', async () => {
    const small = frame(1, 0, 1, 1, [2]);
    const white = [255, 255, 255];
    expect(await colours(gif(2, 2, small), keras, 2, 2)).toEqual([all[0], all[2], all[0], all[0]]);
    expect(await colours(gif(2, 2, small), viewer, 2, 2)).toEqual([white, all[2], white, white]);
    expect(await colours(gif(2, 2, transparent(3), small), keras, 2, 2)).toEqual([all[3], all[2], all[3], all[3]]);
    expect(await colours(gif(2, 2, transparent(3), small), viewer, 2, 2)).toEqual([white, all[2], white, white]);
  });

  it('is refused where it ends early, or where its codes mean nothing', async () => {
    const short = gif(2, 2, frame(0, 0, 2, 2, [0, 1, 2]));
    expect((await rejection(readHeader(short), 'IMAGE_UNDECODABLE')).message).toContain('has 4 pixels, and 3 of them');
    // Code 7 where the table ends at 5.
    const meaningless = Buffer.from([0x2c, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 2, 0b00111100, 0, 0]);
    await rejection(readHeader(gif(2, 2, meaningless)), 'IMAGE_UNDECODABLE');
  });

  it('is counted without being decompressed, as many pixels as the library finds', async () => {
    for (const [width, height] of [
      [1, 1],
      [250, 3],
      [200, 150],
    ] as const) {
      const picture = paint(width, height, (x, y) => [(x * 7 + y * y) % 256, (x * y) % 256, (x ^ y) % 256]);
      const bytes = await toSharp(picture).gif({ dither: 0 }).toBuffer();
      await readHeader(bytes);
      const image = bytes.lastIndexOf(Buffer.from([0x2c, 0, 0, 0, 0]));
      const table = (bytes[image + 9]! & 0x80) === 0 ? 0 : 3 * 2 ** ((bytes[image + 9]! & 7) + 1);
      expect(gifPixels(bytes, image + 10 + table, Infinity)).toBe(width * height);
    }
  });
});
