import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFloat16, encodeFloat16, FLOAT16_MAX } from '../../../src/store/format/float16.ts';

function encode(values: readonly number[]): { halves: number[]; overflows: number } {
  const halves = new Uint16Array(values.length);
  const overflows = encodeFloat16(Float32Array.from(values), halves);
  return { halves: [...halves], overflows };
}

function decode(halves: readonly number[]): number[] {
  const out = new Float32Array(halves.length);
  decodeFloat16(Uint16Array.from(halves), out);
  return [...out];
}

/**
 * The value of a binary16 by the definition (IEEE 754-2019, 3.4): sign, 5 bits of exponent with bias 15, 10 bits of
 * fraction.
 */
function valueOf(half: number): number {
  const sign = half >= 0x8000 ? -1 : 1;
  const exponent = Math.floor((half % 0x8000) / 1024);
  const fraction = half % 1024;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest binary16 of a number, ties to even, by arithmetic alone (IEEE 754-2019, 4.3.1). */
function nearest(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x) || x === 0) return x;
  // Half a unit above the largest finite one is a tie, whose even neighbour is infinity.
  if (size >= 65520) return Math.sign(x) * Infinity;
  let exponent = -14;
  while (2 ** (exponent + 1) <= size) exponent++;
  const unit = 2 ** (exponent - 10);
  const whole = Math.floor(size / unit);
  const rest = size / unit - whole;
  const up = rest > 0.5 || (rest === 0.5 && whole % 2 === 1);
  return Math.sign(x) * (whole + (up ? 1 : 0)) * unit || Math.sign(x) * 0;
}

const float32 = new Float32Array(1);
const bits = new Uint32Array(float32.buffer);
const fromBits = (pattern: number): number => {
  bits[0] = pattern;
  return float32[0]!;
};

describe('float16', () => {
  it('decodes each of the 65,536 patterns to the value of the definition', () => {
    const patterns = Array.from({ length: 65536 }, (_, half) => half);
    expect(decode(patterns)).toEqual(patterns.map(valueOf));
  });

  it('encodes each decoded pattern to itself; not-a-number stays one', () => {
    const patterns = Array.from({ length: 65536 }, (_, half) => half);
    const { halves, overflows } = encode(decode(patterns));
    expect(overflows).toBe(0);
    for (const half of patterns) {
      if (Number.isNaN(valueOf(half))) expect(valueOf(halves[half]!)).toBeNaN();
      else expect(halves[half]).toBe(half);
    }
  });

  it('rounds to nearest, ties to even, at and beside the middle of every two neighbours', () => {
    const values: number[] = [];
    for (let half = 0; half < 0x7c00; half++) {
      const next = half === 0x7bff ? 65536 : valueOf(half + 1);
      const middle = Math.fround((valueOf(half) + next) / 2); // exact: one bit more than float16 has
      float32[0] = middle;
      const at = bits[0]!;
      for (const near of [fromBits(at - 1), middle, fromBits(at + 1)]) values.push(near, -near);
    }
    const found = decode(encode(values).halves);
    expect(found).toEqual(values.map(nearest));
  });

  it('agrees with the definition on any float32, and counts the finite values that become infinite', () => {
    const pattern = fc.oneof(
      fc.integer({ min: 0, max: 0xffffffff }),
      // Where float16 lives: exponents of 2^-26 to 2^17, either sign.
      fc
        .tuple(fc.integer({ min: 101, max: 144 }), fc.integer({ min: 0, max: 0x7fffff }), fc.boolean())
        .map(([exponent, fraction, negative]) => (negative ? 0x80000000 : 0) + exponent * 2 ** 23 + fraction),
    );
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 20 }), (patterns) => {
        const values = patterns.map(fromBits);
        const { halves, overflows } = encode(values);
        expect(decode(halves)).toEqual(values.map(nearest));
        expect(overflows).toBe(values.filter((x) => Number.isFinite(x) && Math.abs(x) >= 65520).length);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['the smallest subnormal', 2 ** -24, 0x0001, 0],
    ['a hair above half of it', 2 ** -25 * (1 + 2 ** -20), 0x0001, 0],
    ['half of it', 2 ** -25, 0x0000, 0],
    ['minus half of it', -(2 ** -25), 0x8000, 0],
    ['the largest subnormal', 1023 * 2 ** -24, 0x03ff, 0],
    ['minus zero', -0, 0x8000, 0],
    ['the largest finite value', FLOAT16_MAX, 0x7bff, 0],
    ['just below the tie to infinity', 65519.996, 0x7bff, 0],
    ['the tie to infinity', 65520, 0x7c00, 1],
    ['a value far beyond', -1e30, 0xfc00, 1],
    ['infinity, which was so before', Infinity, 0x7c00, 0],
  ])('encodes %s', (_name, value, half, count) => {
    expect(encode([value])).toEqual({ halves: [half], overflows: count });
  });

  it('writes and reads at an offset and over a view, and touches nothing else', () => {
    const source = Float32Array.from([9, 1, 2, 9]).subarray(1, 3);
    const halves = new Uint16Array(5).fill(7);
    encodeFloat16(source, halves, 2);
    expect([...halves]).toEqual([7, 7, 0x3c00, 0x4000, 7]);
    const back = new Float32Array(4).fill(-1);
    decodeFloat16(halves.subarray(2, 4), back, 1);
    expect([...back]).toEqual([-1, 1, 2, -1]);
  });
});
