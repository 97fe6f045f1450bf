import { describe, expect, it } from 'vitest';
import { looksText, pText, toldApartText, viewsVerdict } from '../../src/report/told-apart.ts';
import type { PairedTest } from '../../src/results/head-result.ts';
import { headResult } from '../support/results.ts';

const head = (name: string, toldApart: boolean, test: PairedTest | undefined = 'mcnemar') =>
  headResult({ name, comparison: { pValue: toldApart ? 0.001 : 0.5, ...(test && { test }), toldApart } });
const best = head('softmax', false);
const rule = (heads: number): string =>
  `(McNemar's exact test on the same validated images, adjusted for any two of ${heads} being compared).`;

describe('the sentence on heads that cannot be told from the best', () => {
  it('names them, with their features and views', () => {
    const views = { count: 5, accuracyWithout: 0.5, difference: 0, interval: [0, 0] as const, pValue: 1 };
    const heads = [best, { ...head('knn', false), views }, head('ridge', true), head('mlp', false)];
    expect(toldApartText(heads)).toBe(
      `2 of 3 other heads cannot be told from the best, softmax on avg, at 5 %: knn on avg with 5 views, mlp on avg ${rule(4)}`,
    );
  });

  it('is as plain where all or none of them are alike', () => {
    const [one, two] = [rule(2), rule(3)];
    const start = 'be told from the best, softmax on avg, at 5 %';
    expect(toldApartText([best, head('a', false), head('b', false)])).toBe(
      `None of the 2 other heads can ${start} ${two}`,
    );
    expect(toldApartText([best, head('a', true), head('b', true)])).toBe(`All 2 other heads can ${start} ${two}`);
    expect(toldApartText([best, head('a', false)])).toBe(`The other head cannot ${start} ${one}`);
    expect(toldApartText([best, head('a', true)])).toBe(`The other head can ${start} ${one}`);
  });

  it('names the test that was made', () => {
    const tested = (test: PairedTest) => toldApartText([head('a', false, test), head('b', false, test)]);
    expect(tested('paired-t')).toContain('(the paired t test of the log losses on the same validated images, adjusted');
    expect(tested('class-weighted-mcnemar')).toContain("(McNemar's test, each class weighing the same, on the same");
    const older = { name: 'old', comparison: { pValue: 0.5, toldApart: false } };
    expect(toldApartText([headResult(older), headResult(older)])).toMatch(/Holm's adjustment for 1 comparison\)\.$/);
  });

  it('says where there is nothing to compare, or nothing was compared', () => {
    expect(toldApartText([])).toBe('');
    expect(toldApartText([best])).toMatch(/one head, so nothing/);
    expect(toldApartText([best, headResult()])).toMatch(/older version .* did not compare/);
  });
});

describe('what a comparison may claim', () => {
  it('is the verdict of the test that is printed, whatever the interval', () => {
    expect(viewsVerdict({ difference: 0.026, pValue: 0.125 })).toBe('no difference can be told');
    expect(viewsVerdict({ difference: 0.04, pValue: 0.031 })).toBe('the views helped');
    expect(viewsVerdict({ difference: -0.04, pValue: 0.031 })).toBe('the views hurt');
  });

  it('counts the looks at the validation images', () => {
    expect(looksText({ heads: 1, isComplete: true }, 'val')).toBe('Val has been looked at once by this store.');
    expect(looksText({ heads: 12, isComplete: true }, 'val')).toBe(
      'Val has been looked at 12 times by this store: the best figure of many heads on the same images is a little too high.',
    );
    expect(looksText({ heads: 1, isComplete: false }, 'test')).toBe(
      'Test has been looked at once by this store, not counting what older versions did.',
    );
  });

  it('writes no p-value of zero', () => {
    expect([0, 0.0004, 0.0126, 1].map(pText)).toEqual(['<0.001', '<0.001', '0.013', '1.000']);
  });
});
