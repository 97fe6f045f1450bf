import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdOut, placeOfContent, SIDES } from '../../../src/classify/evaluate/hold-out.ts';
import { sha256Hex } from '../../../src/core/digest.ts';

/** Images of some contents in some classes: several images may have one content, also in different classes. */
const images = fc
  .array(fc.record({ content: fc.nat({ max: 40 }), label: fc.constantFrom('a', 'b', 'c', 'd') }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((found) => {
    const digests = [...new Set(found.map(({ content }) => content))].map((content) => sha256Hex(String(content)));
    return {
      digests,
      contents: found.map(({ content }) => digests.indexOf(sha256Hex(String(content)))),
      labels: found.map(({ label }) => label),
    };
  });

const task = (
  { digests, contents, labels }: { digests: string[]; contents: number[]; labels: string[] },
  seed = 1,
) => ({
  places: Float64Array.from(digests, (sha256) => placeOfContent(sha256, seed)),
  kept: new Uint8Array(digests.length),
  contents,
  labels,
});

const bySide = (given: { contents: number[]; labels: string[] }, held: Uint8Array) => {
  const sides = new Map<string, { train: Set<number>; val: Set<number> }>();
  given.labels.forEach((label, i) => {
    const both = sides.get(label) ?? { train: new Set(), val: new Set() };
    sides.set(label, both);
    both[held[given.contents[i]!] === 1 ? 'val' : 'train'].add(given.contents[i]!);
  });
  return sides;
};

describe('the place of a content', () => {
  it('is a share of the digest of seed and content, uniform over [0, 1)', () => {
    const hex = sha256Hex('1:ab').slice(0, 13);
    expect(placeOfContent('ab', 1)).toBe(Number(BigInt(`0x${hex}`)) / 2 ** 52);
    const places = Array.from({ length: 2000 }, (_, i) => placeOfContent(sha256Hex(String(i)), 7));
    for (const quarter of [0.25, 0.5, 0.75])
      expect(Math.abs(places.filter((place) => place < quarter).length / 2000 - quarter)).toBeLessThan(0.03);
  });
});

describe('holding out by content', () => {
  it('gives each class a training image, and of classes with contents of their own a validation image', () => {
    fc.assert(
      fc.property(images, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (given, valFraction) => {
        const held = holdOut(task(given), valFraction);
        for (const { train, val } of bySide(given, held).values()) {
          expect(train.size).toBeGreaterThan(0);
          if (train.size > 1 && val.size === 0) {
            // Only where each of its contents is the last training image of another class.
            for (const content of train) {
              const others = [...bySide(given, held).values()].filter(({ train: own }) => own.has(content));
              expect(others.some(({ train: own }) => own.size === 1)).toBe(true);
            }
          }
        }
      }),
    );
  });

  it('moves no image when images of other contents come or go, but for classes that would have had none', () => {
    const digests = Array.from({ length: 80 }, (_, i) => sha256Hex(String(i)));
    const all = { digests, contents: [...digests.keys()], labels: digests.map((_, i) => (i % 2 ? 'a' : 'b')) };
    const held = holdOut(task(all), 0.25);
    for (const count of [40, 79]) {
      const fewer = holdOut(
        task({
          digests: digests.slice(0, count),
          contents: all.contents.slice(0, count),
          labels: all.labels.slice(0, count),
        }),
        0.25,
      );
      expect([...fewer]).toEqual([...held.subarray(0, count)]);
    }
    expect(held.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(10);
    expect([...holdOut(task(all, 2), 0.25)]).not.toEqual([...held]);
  });

  it('leaves what was decided before as it is', () => {
    fc.assert(
      fc.property(images, fc.infiniteStream(fc.constantFrom(0, 1, 2)), (given, sides) => {
        const kept = Uint8Array.from(given.digests, () => sides.next().value as number);
        const held = holdOut({ ...task(given), kept }, 0.25);
        kept.forEach((side, n) => {
          if (side !== SIDES.open) expect(held[n]).toBe(side === SIDES.val ? 1 : 0);
        });
      }),
    );
  });

  it('refuses a part that is none', () => {
    for (const part of [0, 1, NaN])
      expect(() => holdOut(task({ digests: [], contents: [], labels: [] }), part)).toThrow(/valFraction/);
  });
});
