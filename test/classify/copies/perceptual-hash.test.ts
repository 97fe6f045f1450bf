import { describe, expect, it } from 'vitest';
import { SKETCH_BYTES, SKETCH_SIDE } from '../../../src/core/sketch.ts';
import { hashPairs } from '../../../src/classify/copies/hash-pairs.ts';
import { hashDistance, perceptualHashes } from '../../../src/classify/copies/perceptual-hash.ts';

function sketch(grey: (x: number, y: number) => number): Uint8Array {
  const bytes = new Uint8Array(SKETCH_BYTES);
  for (let y = 0; y < SKETCH_SIDE; y++) for (let x = 0; x < SKETCH_SIDE; x++) bytes[y * SKETCH_SIDE + x] = grey(x, y);
  return bytes;
}

/** Pictures with what imagehash 4.3 (phash, hash_size 8) says of them and of their mirror images. */
const KNOWN = [
  {
    name: 'ripples',
    grey: (x: number, y: number) => (x * x * 3 + y * x * 7 + y * 11) % 256,
    upright: 'c41d0936c11f735f',
    mirrored: 'd5545573d45e7640',
  },
  {
    name: 'a ramp',
    grey: (x: number, y: number) => x * 5 + y * 3,
    upright: '8000000000000000',
    mirrored: 'd500000000000000',
  },
  {
    name: 'a disc',
    grey: (x: number, y: number) => ((x - 9) ** 2 + (y - 13) ** 2 < 60 ? 220 : 30 + 2 * y + x),
    upright: 'c0403f3fdcfcc2c2',
    mirrored: '95156a6a89a99797',
  },
  {
    name: 'bands',
    grey: (x: number, y: number) => (Math.floor(x / 5) * 37 + Math.floor(y / 7) * 91) % 256,
    upright: '92160d256996def3',
    mirrored: 'd74358703cc38ba7',
  },
] as const;

const hex = (words: Uint32Array, row: number): string =>
  [words[2 * row]!, words[2 * row + 1]!].map((word) => word.toString(16).padStart(8, '0')).join('');

describe('perceptual hashes', () => {
  const found = perceptualHashes(KNOWN.map(({ grey }) => sketch(grey)));

  it.each(KNOWN.map((known, row) => ({ ...known, row })))(
    'of $name are those of imagehash',
    ({ upright, mirrored, row }) => {
      expect(hex(found.hashes, row)).toBe(upright);
      expect(hex(found.mirrored, row)).toBe(mirrored);
    },
  );

  it('differ in as many bits as are counted one by one', () => {
    const bits = (text: string): string => BigInt(`0x${text}`).toString(2).padStart(64, '0');
    for (const [a, one] of KNOWN.entries())
      for (const [b, other] of KNOWN.entries()) {
        const expected = [...bits(one.upright)].filter((bit, i) => bit !== bits(other.mirrored)[i]).length;
        expect(hashDistance(found.hashes, a, found.mirrored, b)).toBe(expected);
      }
  });

  it('pair pictures with their mirror images, and take far ones only where they are accepted', async () => {
    const [one, other] = [KNOWN[2].grey, KNOWN[3].grey];
    const pictures = [sketch(one), sketch((x, y) => one(SKETCH_SIDE - 1 - x, y)), sketch(other), sketch(other)];
    const hashes = perceptualHashes(pictures);
    const near = await hashPairs(hashes, { near: 0, far: 0, most: 10 }, () => true);
    expect(near.pairs).toEqual([
      { a: 0, b: 1, distance: 0, mirrored: true },
      { a: 2, b: 3, distance: 0, mirrored: false },
    ]);
    const asked: string[] = [];
    const far = await hashPairs(hashes, { near: 0, far: 64, most: 10 }, (a, b) => {
      asked.push(`${a} ${b}`);
      return a === 0;
    });
    expect(asked.sort()).toEqual(['0 2', '0 3', '1 2', '1 3']);
    expect(far.pairs.map(({ a, b }) => `${a} ${b}`).sort()).toEqual(['0 1', '0 2', '0 3', '2 3']);
    expect((await hashPairs(hashes, { near: 64, far: 64, most: 2 }, () => true)).total).toBe(6);
  });
});
