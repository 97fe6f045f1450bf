import { describe, expect, it } from 'vitest';
import { mcNemar } from '../../../src/classify/evaluate/paired-tests.ts';
import { stratifiedSigns } from '../../../src/classify/evaluate/stratified-signs.ts';

/** Classes of these sizes, of whose rows only the first head, or only the second, got so many right. */
function heads(sizes: readonly number[], onlyFirst: readonly number[], onlySecond: readonly number[]) {
  const truth = Int32Array.from(sizes.flatMap((size, c) => Array<number>(size).fill(c)));
  const wrong = sizes.length;
  const places = sizes.flatMap((size) => Array.from({ length: size }, (_, i) => i));
  const first = truth.map((c, i) => {
    const at = places[i]!;
    return at >= onlyFirst[c]! && at < onlyFirst[c]! + onlySecond[c]! ? wrong : c;
  });
  const second = truth.map((c, i) => (places[i]! < onlyFirst[c]! ? wrong : c));
  return [truth, first, second] as const;
}

describe('the test of the balanced accuracy', () => {
  it('counts all signs where there are few', () => {
    // All 2^13 signs of weights 1/12, 1/18 and 1/30 with numpy: 0.229736328125.
    expect(stratifiedSigns(...heads([4, 6, 10], [2, 1, 6], [0, 3, 1]))).toBeCloseTo(0.229736328125, 12);
  });

  it('is normal where there are many', () => {
    // 2 * scipy.stats.norm.sf(z), z = sum(w (b - c)) / sqrt(sum(w^2 (b + c))), w = 1 / (4 n).
    const found = stratifiedSigns(...heads([100, 150, 200, 250], [30, 20, 40, 25], [20, 25, 22, 30]));
    expect(found).toBeCloseTo(0.15931917510593951, 12);
  });

  it("is McNemar's exact test where all classes are of one size", () => {
    const given = heads([30, 30, 30], [5, 2, 4], [1, 0, 2]);
    expect(stratifiedSigns(...given)).toBeCloseTo(mcNemar(...given).pValue, 12);
  });

  it('sees what McNemar does not: a rare class lost', () => {
    const given = heads([2000, 20], [0, 15], [20, 0]);
    expect(mcNemar(...given).pValue).toBeGreaterThan(0.4);
    expect(stratifiedSigns(...given)).toBeLessThan(0.001);
  });

  it('finds no difference between a head and itself, and rejects lengths that differ', () => {
    const truth = Int32Array.of(0, 1, 1);
    expect(stratifiedSigns(truth, truth, truth)).toBe(1);
    expect(() => stratifiedSigns(truth, truth, new Int32Array(2))).toThrow(/3 true classes and 2 predictions/);
  });
});
