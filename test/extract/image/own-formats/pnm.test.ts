import { describe, expect, it } from 'vitest';
import { PNM } from '../../../../src/extract/image/own-formats/pnm.ts';
import { rejection } from '../../../support/errors.ts';

const file = (head: string, ...samples: number[]): Uint8Array =>
  Buffer.concat([Buffer.from(head), Buffer.from(samples)]);
const pixelsOf = async (bytes: Uint8Array) => [...(await PNM.pixels(bytes, false)).data];
const asPromise = async (bytes: Uint8Array): Promise<unknown> => PNM.pixels(bytes, false);
const grey = (...levels: number[]): number[] => levels.flatMap((level) => [level, level, level]);

// All values below are what Pillow 13 gives, unless a name says otherwise.
describe('a PBM, PGM or PPM', () => {
  it.each<[string, Uint8Array, readonly number[]]>([
    [
      'P1, bits as text with and without blanks',
      file('P1\n# two lines\n3 2\n1 0 1\n01#end\n0'),
      grey(0, 255, 0, 255, 0, 255),
    ],
    ['P2, grey as text', file('P2 2 1 255 7\t200\n'), grey(7, 200)],
    ['P2 with another white', file('P2\n3 1\n4\n0 1 4'), grey(0, 64, 255)],
    ['P3, colours as text', file('P3\n1 2\n255\n1 2 3 # a comment\n4 5 6'), [1, 2, 3, 4, 5, 6]],
    [
      'P4, bits',
      file('P4\n9 2\n', 0b10000000, 0b10000000, 0, 0),
      [...grey(0, ...Array<number>(7).fill(255), 0), ...grey(...Array<number>(9).fill(255))],
    ],
    ['P5, grey', file('P5\r3 1 255\n', 0, 127, 255), grey(0, 127, 255)],
    ['P5 with another white, rounded to even', file('P5 4 1 100 ', 0, 50, 100, 200), grey(0, 128, 255, 255)],
    [
      'P5 of 16 bits, scaled (as Pillow makes it: below)',
      file('P5 3 1 65535\n', 0, 0, 0x80, 0, 0xff, 0xff),
      grey(0, 128, 255),
    ],
    ['P6, colours', file('P6\n# made\n1 2\n255\n', 1, 2, 3, 4, 5, 6), [1, 2, 3, 4, 5, 6]],
    ['P6 of 12 bits', file('P6 1 1 4095\n', 0, 0, 8, 0, 15, 255), [0, 128, 255]],
    ['more behind the picture', file('P6 1 1 255\n', 1, 2, 3, 80, 54), [1, 2, 3]],
  ])('is decoded: %s', async (_, bytes, expected) => {
    expect(PNM.isOne(bytes)).toBe(true);
    expect(await pixelsOf(bytes)).toEqual(expected);
    const { width, height } = await PNM.header(bytes);
    expect(width * height * 3).toBe(expected.length);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['P6 cut off', file('P6 1 2 255\n', 1, 2, 3, 4, 5), /PPM is cut off/],
    ['P3 cut off', file('P3 1 2 255\n1 2 3 4 5'), /PPM is cut off/],
    ['P4 cut off', file('P4 9 2\n', 0, 0, 0), /PBM is cut off/],
    ['P1 with a 2', file('P1 2 1 02'), /other than 0 and 1/],
    ['P2 with letters', file('P2 2 1 255 7 x'), /other than numbers/],
    ['P2 above its white', file('P2 2 1 100 7 101'), /101 above its largest value 100/],
    ['a size of 0', file('P5 0 1 255 '), /width 0/],
    ['a negative size', file('P5 -3 1 255 '), /width is no number/],
    ['a white above 16 bits', file('P5 1 1 65536 ', 0, 0), /largest value 65536/],
    ['no size at all', file('P6 '), /width is no number/],
  ])('is refused: %s', async (_, bytes, reason) => {
    expect((await rejection(asPromise(bytes), 'IMAGE_UNDECODABLE')).message).toMatch(reason);
  });

  it('has its grey of 16 bits cut off at 255 where it is to be as Pillow makes it', async () => {
    const bytes = file('P5 3 1 65535\n', 0, 0, 0, 200, 0xff, 0xff);
    expect([...(await PNM.pixels(bytes, true)).data]).toEqual(grey(0, 200, 255));
    // By which extraction tells of it.
    expect(await PNM.header(bytes)).toMatchObject({ special: { samples: { kind: 'grey16' } } });
  });

  it('is told from text', () => {
    for (const text of ['P7 1 1', 'P64 and others', 'Pf\n1 1', 'P']) expect(PNM.isOne(Buffer.from(text))).toBe(false);
  });
});
