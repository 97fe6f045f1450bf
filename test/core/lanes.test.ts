import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { lanes } from '../../src/core/lanes.ts';

it('runs so many works at once and no more, in order, whatever fails', async () => {
  const inLane = lanes(3);
  const begun: number[] = [];
  let [busy, most] = [0, 0];
  const work = (i: number) => async () => {
    begun.push(i);
    most = Math.max(most, ++busy);
    await sleep(i % 4);
    busy--;
    if (i === 5) throw new Error('five');
    return i;
  };
  const done = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => inLane(work(i))));
  expect(most).toBe(3);
  expect(begun).toEqual([...Array(20).keys()]);
  expect(done.filter(({ status }) => status === 'rejected')).toHaveLength(1);
});
