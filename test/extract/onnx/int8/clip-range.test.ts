import { describe, expect, it } from 'vitest';
import { random } from '../../../../src/core/random.ts';
import { clipRange } from '../../../../src/extract/onnx/int8/clip-range.ts';
import { histogram } from '../../../../src/extract/onnx/int8/histogram.ts';
import { rejection } from '../../../support/errors.ts';

/** Values of a normal-like spread with some far ones. */
function spread(count: number, far: number): Float32Array {
  const generator = random(5);
  return Float32Array.from({ length: count }, (_, i) => {
    const value = Array.from({ length: 12 }, () => generator.uniform()).reduce((sum, one) => sum + one, -6);
    return i < far ? value * 20 : value;
  });
}

function counted(...images: readonly Float32Array[]) {
  const values = histogram('x');
  for (const image of images) values.add(image);
  return values;
}

/** The sum of squared errors of values that are rounded to 8 bits of a range, one by one. */
function errorOf(values: Float32Array, { min, max }: { readonly min: number; readonly max: number }): number {
  const step = (max - min) / 255;
  const zero = Math.round(-min / step);
  return values.reduce((sum, value) => {
    const rounded = (Math.max(0, Math.min(255, Math.round(value / step) + zero)) - zero) * step;
    return sum + (value - rounded) ** 2;
  }, 0);
}

describe('a histogram', () => {
  it('counts the same in any order and any division into images, but for exact zeros', () => {
    const values = spread(4000, 3);
    values.fill(0, 100, 600);
    const one = counted(values);
    const [small, large] = [values.slice(600), values.slice(0, 600)];
    const other = counted(small.toReversed(), large);
    expect(other.counts).toEqual(one.counts);
    expect([other.min, other.max]).toEqual([one.min, one.max]);
    expect(one.max).toBe(Math.max(...values));
    expect(one.counts.reduce((sum, count) => sum + count, 0)).toBe(3500);
  });

  it('refuses what is not finite, naming the tensor', async () => {
    const add = (value: number) => Promise.resolve().then(() => counted(Float32Array.of(1, value)));
    expect((await rejection(add(Infinity), 'ENGINE_FAILED')).message).toContain('"x" has values that are not finite');
    await rejection(add(NaN), 'ENGINE_FAILED');
  });
});

describe('the range that loses least', () => {
  it('is the whole one where values are spread evenly', () => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => -3 + i / 1000);
    const { min, max } = clipRange(counted(values));
    expect(min).toBeCloseTo(-3, 1);
    expect(max).toBeCloseTo(7, 1);
  });

  it.each([0, 1, 5, 40])('is as good as the best of all, of 3,000 values of which %d are far out', (far) => {
    const values = spread(3000, far);
    const found = counted(values);
    const whole = { min: found.min, max: found.max };
    const error = errorOf(values, clipRange(found));
    const ends = (largest: number): number[] => Array.from({ length: 16 }, (_, i) => (largest * (16 - i)) / 16);
    const best = Math.min(
      ...ends(whole.max).flatMap((max) => ends(whole.min).map((min) => errorOf(values, { min, max }))),
    );
    expect(error).toBeLessThan(best * 1.05);
    expect(error).toBeLessThanOrEqual(errorOf(values, whole) * 1.001);
    if (far === 1) expect(error).toBeLessThan(errorOf(values, whole));
  });

  it('begins at 0 where nothing is below, and is nothing for zeros', () => {
    expect(clipRange(counted(spread(1000, 0).map(Math.abs))).min).toBe(0);
    expect(clipRange(counted(new Float32Array(10)))).toEqual({ min: 0, max: 0 });
  });
});
