import { describe, expect, it } from 'vitest';
import { normalDeviate, normalTail, rangeTail, studentTwoSided } from '../../../src/classify/evaluate/distributions.ts';

// Expected values by scipy 1.17: 2 * stats.t.sf(t, v), stats.norm.sf(x), stats.norm.isf(p / 2),
// stats.studentized_range.sf(q, k, inf).
const near = (found: number, expected: number, digits = 1e-11): void =>
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(digits * Math.abs(expected));

describe('distributions', () => {
  it.each([
    [0.5, 1, 0.7048327646991335],
    [2.1, 4, 0.10365328631760218],
    [2.1, 30, 0.04424247126232353],
    [5, 244, 1.095698010010038e-6],
    [12, 2933, 2.015270244605265e-32],
    [1e-3, 10, 0.999221783374741],
    [-40, 200, 2.2487396535202197e-97],
  ])("Student's t: %d with %d degrees of freedom", (t, freedom, expected) =>
    near(studentTwoSided(t, freedom), expected),
  );

  it.each([
    [-5, 0.9999997133484281],
    [-2, 0.9772498680518208],
    [0, 0.5],
    [1.96, 0.024997895148220435],
    [3.1, 0.0009676032132183563],
    [8, 6.22096057427174e-16],
    [20, 2.7536241186061556e-89],
  ])('the normal tail beyond %d, and back', (x, expected) => {
    near(normalTail(x), expected);
    if (x > 0) near(normalDeviate(2 * expected), x);
  });

  it.each([
    [1, 2, 0.4795001221869535],
    [2.772, 2, 0.04998410355105598],
    [3.5, 4, 0.06387633385690328],
    [4.85, 16, 0.04945674778565434],
    [5.5, 28, 0.02705455930064471],
    [6, 500, 0.5215274542723838],
    [2, 10, 0.9232142386068531],
  ])('a range of %d of %d normal values', (q, k, expected) => near(rangeTail(q, k), expected));

  it('keep their ends', () => {
    expect([normalDeviate(0), rangeTail(Infinity, 5), rangeTail(0, 5)]).toEqual([Infinity, 0, 1]);
    expect(normalDeviate(1)).toBeCloseTo(0, 12);
    expect(studentTwoSided(Infinity, 5)).toBe(0);
    // Two values: the p-value of their difference itself, however small.
    for (const p of [0.5, 0.05, 1e-6, 1e-20]) near(rangeTail(Math.SQRT2 * normalDeviate(p), 2), p, 1e-9);
  });
});
