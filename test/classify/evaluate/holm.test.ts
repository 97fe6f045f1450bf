import { describe, expect, it } from 'vitest';
import { holm } from '../../../src/classify/evaluate/holm.ts';

describe("Holm's adjustment", () => {
  it('gives what R gives for p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm"), in the given order', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(10)))).toEqual([0.03, 0.06, 0.06, 0.02]);
  });

  it('never exceeds 1 and leaves one alone', () => {
    expect(holm([0.7, 0.9])).toEqual([1, 1]);
    expect(holm([0.2])).toEqual([0.2]);
    expect(holm([])).toEqual([]);
  });
});
