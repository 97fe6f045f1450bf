import { expect, it } from 'vitest';
import { paceOfLate } from '../../../../src/workflows/machines/queue/pace.ts';

it('is what was done a second since the first count, and later over the last 30 seconds only', () => {
  let now = 0;
  const pace = paceOfLate(() => now);
  expect(pace.perSecond()).toBe(0);
  pace.count(100);
  expect(pace.perSecond()).toBe(0);
  for (let second = 1; second <= 10; second++) {
    now = second * 1000;
    pace.count(100 + 5 * second);
  }
  expect(pace.perSecond()).toBeCloseTo(5, 6);
  for (let second = 11; second <= 60; second++) {
    now = second * 1000;
    pace.count(150 + 2 * (second - 10));
  }
  expect(pace.perSecond()).toBeCloseTo(2, 6);
});
