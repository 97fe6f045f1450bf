import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auroc } from '../../../src/classify/evaluate/auroc.ts';

interface Case {
  readonly positives: number;
  readonly negatives: number;
  readonly modulus: number;
  readonly shift: number;
  readonly auroc: number;
}
const golden = JSON.parse(readFileSync(new URL('../../golden/unknown.json', import.meta.url), 'utf8')) as {
  readonly auroc: readonly Case[];
};

const values = (n: number, step: number, modulus: number, shift: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => ((i * step) % modulus) / modulus + shift);

describe('the area under the ROC curve', () => {
  it.each(golden.auroc)("is scikit-learn's for $positives against $negatives, ties too", (one) => {
    const a = values(one.positives, 7919, one.modulus, one.shift);
    const b = values(one.negatives, 31, one.modulus, 0);
    // Halves and quotients of small integers on both sides: a few last bits.
    expect(auroc(a, b)).toBeCloseTo(one.auroc, 14);
    expect(auroc(b, a)).toBeCloseTo(1 - one.auroc, 14);
  });

  it('is the share of pairs, counted one by one, in any order of the values', () => {
    const numbers = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const pairs = a.flatMap((p) => b.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
        const share = pairs.reduce((sum: number, value) => sum + value, 0) / pairs.length;
        expect(auroc(a, b)).toBeCloseTo(share, 12);
        expect(auroc([...a].reverse(), b)).toBe(auroc(a, b));
      }),
    );
  });

  it('is not a number where one side is empty', () => {
    expect([auroc([], [1]), auroc([1], [])]).toEqual([NaN, NaN]);
  });
});
