import { describe, expect, it } from 'vitest';
import { toldApartText } from '../../src/report/told-apart.ts';
import { headResult } from '../support/results.ts';

const head = (name: string, toldApart: boolean) =>
  headResult({ name, comparison: { pValue: toldApart ? 0.001 : 0.5, toldApart } });
const best = head('softmax', false);
const rule = (count: string): string =>
  `(McNemar's exact test on the same validated images, Holm's adjustment for ${count}).`;

describe('the sentence on heads that cannot be told from the best', () => {
  it('names them, with their features and views', () => {
    const views = { count: 5, accuracyWithout: 0.5, difference: 0, interval: [0, 0] as const, pValue: 1 };
    const heads = [best, { ...head('knn', false), views }, head('ridge', true), head('mlp', false)];
    expect(toldApartText(heads)).toBe(
      `2 of 3 other heads cannot be told from the best, softmax on avg, at 5 %: knn on avg with 5 views, mlp on avg ${rule('3 comparisons')}`,
    );
  });

  it('is as plain where all or none of them are alike', () => {
    const [one, two] = [rule('1 comparison'), rule('2 comparisons')];
    const start = 'be told from the best, softmax on avg, at 5 %';
    expect(toldApartText([best, head('a', false), head('b', false)])).toBe(
      `None of the 2 other heads can ${start} ${two}`,
    );
    expect(toldApartText([best, head('a', true), head('b', true)])).toBe(`All 2 other heads can ${start} ${two}`);
    expect(toldApartText([best, head('a', false)])).toBe(`The other head cannot ${start} ${one}`);
    expect(toldApartText([best, head('a', true)])).toBe(`The other head can ${start} ${one}`);
  });

  it('says where there is nothing to compare, or nothing was compared', () => {
    expect(toldApartText([])).toBe('');
    expect(toldApartText([best])).toMatch(/one head, so nothing/);
    expect(toldApartText([best, headResult()])).toMatch(/older version .* did not compare/);
  });
});
