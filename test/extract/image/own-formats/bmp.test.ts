import { describe, expect, it } from 'vitest';
import { BMP } from '../../../../src/extract/image/own-formats/bmp.ts';
import { bmpFile, type Bitmap } from '../../../support/bitmaps.ts';
import { rejection } from '../../../support/errors.ts';

const pixelsOf = async (file: Uint8Array) => [...(await BMP.pixels(file, false)).data];
const asPromise = async (file: Uint8Array): Promise<unknown> => BMP.pixels(file, false);

const RED = [255, 0, 0];
const GREEN = [0, 255, 0];
const BLUE = [0, 0, 255];
const WHITE = [255, 255, 255];
/** Two lines of two pixels: the upper one red and green, the lower one blue and white. */
const FOUR = [...RED, ...GREEN, ...BLUE, ...WHITE];
const palette = [RED, GREEN, BLUE, WHITE];
const two = { width: 2, height: 2 };

// All values below are what Pillow 13 gives, unless a name says otherwise.
describe('a BMP', () => {
  it.each<[string, Bitmap, readonly number[]]>([
    ['24 bits', { ...two, bits: 24, data: [255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0] }, FOUR],
    [
      '24 bits, the uppermost line first',
      { width: 2, height: -2, bits: 24, data: [0, 0, 255, 0, 255, 0, 0, 0, 255, 0, 0, 255, 255, 255, 0, 0] },
      FOUR,
    ],
    [
      '32 bits, whose fourth byte is no alpha without a mask',
      { ...two, bits: 32, data: [255, 0, 0, 9, 255, 255, 255, 9, 0, 0, 255, 9, 0, 255, 0, 9] },
      FOUR,
    ],
    ['8 bits', { ...two, bits: 8, palette, data: [2, 3, 0, 0, 0, 1, 0, 0] }, FOUR],
    [
      '8 bits with the header of OS/2',
      {
        ...two,
        bits: 8,
        headerSize: 12,
        palette: [...palette, ...Array.from({ length: 252 }, () => [0, 0, 0])],
        data: [2, 3, 0, 0, 0, 1, 0, 0],
      },
      FOUR,
    ],
    ['4 bits', { ...two, bits: 4, palette, data: [0x23, 0, 0, 0, 0x01, 0, 0, 0] }, FOUR],
    ['2 bits, which Pillow does not read', { ...two, bits: 2, palette, data: [0xb0, 0, 0, 0, 0x10, 0, 0, 0] }, FOUR],
    [
      '1 bit',
      { ...two, bits: 1, palette: [RED, BLUE], data: [0b01000000, 0, 0, 0, 0b10000000, 0, 0, 0] },
      [...BLUE, ...RED, ...RED, ...BLUE],
    ],
    [
      'indices beyond the table, which are black',
      { ...two, bits: 8, palette: [RED], data: [0, 7, 0, 0, 0, 0, 0, 0] },
      [...RED, ...RED, ...RED, 0, 0, 0],
    ],
    [
      '16 bits of 5, 5 and 5',
      { width: 2, height: 1, bits: 16, data: [0xff, 0x7f, 0x42, 0x08] },
      // 2 of 31 is 16.45.
      [255, 255, 255, 16, 16, 16],
    ],
    [
      '16 bits of 5, 6 and 5 by masks',
      { width: 2, height: 1, bits: 16, compression: 3, masks: [0xf800, 0x7e0, 0x1f], data: [0xff, 0xff, 0x41, 0x10] },
      [255, 255, 255, 16, 8, 8],
    ],
    [
      '32 bits of 11, 11 and 10 by masks, which Pillow does not read',
      { width: 1, height: 1, bits: 32, compression: 3, masks: [0xffe00000, 0x1ffc00, 0x3ff], data: [0, 0, 0xe0, 0xff] },
      [255, 0, 0],
    ],
    [
      'runs of 8 bits',
      { width: 4, height: 2, bits: 8, compression: 1, palette, data: [0, 3, 0, 1, 2, 0, 1, 3, 0, 0, 4, 1, 0, 1] },
      [...GREEN, ...GREEN, ...GREEN, ...GREEN, ...RED, ...GREEN, ...BLUE, ...WHITE],
    ],
    [
      'runs of 4 bits, a jump and an early end, which Pillow takes for damage',
      { width: 3, height: 2, bits: 4, compression: 2, palette, data: [3, 0x12, 0, 2, 1, 0, 1, 0x30, 0, 1] },
      [...RED, ...WHITE, ...RED, ...GREEN, ...BLUE, ...GREEN],
    ],
  ])('is decoded: %s', async (_, bitmap, expected) => {
    const file = bmpFile(bitmap);
    expect(BMP.isOne(file)).toBe(true);
    expect(BMP.header(file)).toMatchObject({ width: bitmap.width, height: Math.abs(bitmap.height), hasAlpha: false });
    expect(await pixelsOf(file)).toEqual(expected);
  });

  it('has alpha where its header has a mask for it', async () => {
    const file = bmpFile({
      width: 1,
      height: 1,
      bits: 32,
      headerSize: 108,
      compression: 3,
      masks: [0xff0000, 0xff00, 0xff, 0xff000000],
      data: [3, 2, 1, 128],
    });
    expect(BMP.header(file)).toMatchObject({ hasAlpha: true });
    expect(await pixelsOf(file)).toEqual([1, 2, 3, 128]);
  });

  it('may lack the header of the file, as on a clipboard', async () => {
    const file = bmpFile({ ...two, bits: 24, data: [255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0] });
    const bare = file.subarray(14);
    expect(BMP.isOne(bare)).toBe(true);
    expect(await pixelsOf(bare)).toEqual(FOUR);
  });

  it('is told from text that begins with BM', () => {
    expect(BMP.isOne(Buffer.from('BMW and other makes of cars'))).toBe(false);
  });

  const sound = bmpFile({ ...two, bits: 24, data: [255, 0, 0, 255, 255, 255, 0, 0, 0, 0, 255, 0, 255, 0, 0, 0] });
  it.each<[string, Uint8Array, RegExp]>([
    ['cut off within its pixels', sound.subarray(0, sound.length - 4), /cut off: it has fewer bytes/],
    ['cut off within its header', sound.subarray(0, 30), /cut off within its header/],
    [
      'runs that end with the file',
      bmpFile({ width: 9, height: 9, bits: 8, compression: 1, palette, data: [3, 1] }),
      /cut off/,
    ],
    ['of JPEG within', bmpFile({ ...two, bits: 0, compression: 4, data: [] }), /compression 4, which is not decoded/],
    ['without a width', bmpFile({ width: 0, height: 2, bits: 24, data: [] }), /0 x 2 pixels/],
    [
      'with a torn mask',
      bmpFile({ width: 1, height: 1, bits: 16, compression: 3, masks: [5, 8, 16], data: [0, 0, 0, 0] }),
      /mask 0x5/,
    ],
  ])('is refused: %s', async (_, file, reason) => {
    expect((await rejection(asPromise(file), 'IMAGE_UNDECODABLE')).message).toMatch(reason);
  });

  it('ends as a picture or as IMAGE_UNDECODABLE whatever byte of it is another', async () => {
    const files = [
      sound,
      bmpFile({
        width: 4,
        height: 2,
        bits: 8,
        compression: 1,
        palette,
        data: [0, 3, 0, 1, 2, 0, 1, 3, 0, 0, 4, 1, 0, 1],
      }),
    ];
    for (const file of files) {
      for (let at = 0; at < file.length * 4; at++) {
        const changed = Buffer.from(file);
        changed[at >> 2] = [0, 1, 0x7f, 0xff][at & 3]!;
        try {
          const { width, height } = await BMP.header(changed);
          if (width * height > 2 ** 22) continue;
          const { data, channels } = await BMP.pixels(changed, false);
          expect(data.length).toBe(width * height * channels);
        } catch (error) {
          expect(error).toMatchObject({ code: 'IMAGE_UNDECODABLE' });
        }
      }
    }
  });
});
