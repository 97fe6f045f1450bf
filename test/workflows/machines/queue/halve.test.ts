import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crashingPositions, MOST_CRASHING } from '../../../../src/workflows/machines/queue/halve.ts';

/** Counts how often a process would have been tried. */
function crashingAt(...deadly: number[]) {
  let tries = 0;
  return {
    crashes: (from: number, to: number) => {
      tries++;
      return Promise.resolve(deadly.some((at) => at >= from && at < to));
    },
    tries: () => tries,
  };
}

it('finds all images that end the process, wherever they lie', async () => {
  const unit = fc.integer({ min: 1, max: 200 }).chain((images) =>
    fc.record({
      images: fc.constant(images),
      deadly: fc.uniqueArray(fc.nat(images - 1), { minLength: 1, maxLength: MOST_CRASHING }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(unit, async ({ images, deadly }) => {
      const { crashes } = crashingAt(...deadly);
      expect(await crashingPositions(0, images, crashes)).toEqual([...deadly].sort((a, b) => a - b));
    }),
  );
});

it('tries two ranges a halving, and the last image once more: 23 for one of 1,337', async () => {
  const { crashes, tries } = crashingAt(1000);
  expect(await crashingPositions(0, 1337, crashes)).toEqual([1000]);
  expect(tries()).toBeLessThanOrEqual(2 * 11 + 1);
});

it('stops where more images crash than a unit can hold bad ones', async () => {
  const { crashes, tries } = crashingAt(...Array.from({ length: 1337 }, (_, i) => i));
  expect(await crashingPositions(0, 1337, crashes)).toHaveLength(MOST_CRASHING + 1);
  expect(tries()).toBeLessThan(60);
});

it('blames no image where both halves are lived through, or where it did it once only', async () => {
  expect(await crashingPositions(0, 10, () => Promise.resolve(false))).toEqual([]);
  let first = true;
  const once = (from: number, to: number) => {
    const isIn = from <= 3 && 3 < to && to - from === 1 && first;
    if (isIn) first = false;
    return Promise.resolve(isIn || (from <= 3 && 3 < to && to - from > 1));
  };
  expect(await crashingPositions(0, 8, once)).toEqual([]);
});
