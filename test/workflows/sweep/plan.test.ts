import { describe, expect, it } from 'vitest';
import type { SweepConfiguration } from '../../../src/results/sweep-result.ts';
import { findingIds } from '../../../src/workflows/sweep/plan.ts';

const group = { cut: '', pooling: 'avg', normalize: 'l2', pca: 0, views: 0 } as const;
const problem = { problem: 'not fitted' };
const finding = (C: number) => ({ group, plan: { name: 'logistic', params: { C, tol: 1 } }, found: problem });

describe('what a worker answers for', () => {
  it('has the id of its configuration, in whatever order the worker names its parts', () => {
    const asked = new Map<string, SweepConfiguration>([
      ['one', { ...group, params: { tol: 1, C: 1 }, head: 'logistic' }],
      ['ten', { head: 'logistic', params: { C: 10, tol: 1 }, ...group }],
    ]);
    expect([10, 1].map((C) => findingIds(asked)(finding(C)))).toEqual(['ten', 'one']);
  });

  it('is an error where it was not asked for', () => {
    expect(() => findingIds(new Map())(finding(1))).toThrow('was not asked for');
  });

  it('is found without another look at all configurations', () => {
    let looks = 0;
    const configuration = (C: number): SweepConfiguration => ({
      ...group,
      params: { C, tol: 1 },
      get head() {
        looks++;
        return 'logistic';
      },
    });
    const strengths = Array.from({ length: 20_000 }, (_, i) => i + 1);
    const idOf = findingIds(new Map(strengths.map((C) => [String(C), configuration(C)])));
    expect(strengths.map((C) => idOf(finding(C)))).toEqual(strengths.map(String));
    expect(looks).toBeLessThanOrEqual(2 * strengths.length);
  });
});
