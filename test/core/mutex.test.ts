import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { lanes, savings } from '../../src/core/mutex.ts';

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

it('runs works side by side as far as their widths go, the widest alone', async () => {
  const inLane = lanes(10);
  let [taken, most] = [0, 0];
  const alone: boolean[] = [];
  const work = (width: number) => async () => {
    taken += width;
    most = Math.max(most, Math.min(taken, 10));
    if (width > 10) alone.push(taken === width);
    await sleep(1);
    taken -= width;
  };
  await Promise.all([4, 4, 25, 3, 3, 3, 25].map((width) => inLane(work(width), width)));
  expect(most).toBe(10);
  expect(alone).toEqual([true, true]);
});

it('saves the same once for all who ask meanwhile, and other things one after the other', async () => {
  const saving = savings();
  const begun: string[] = [];
  let busy = 0;
  const work = (name: string) => async () => {
    begun.push(name);
    expect(++busy).toBe(1);
    await sleep(1);
    busy--;
    if (name === 'bad') throw new Error(name);
    return name;
  };
  const names = ['a', 'a', 'b', 'bad', 'bad', 'a'];
  const done = await Promise.allSettled(names.map((name) => saving(name, work(name))));
  expect(begun).toEqual(['a', 'b', 'bad']);
  expect(done.map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(
    names.map((name) => (name === 'bad' ? 'failed' : name)),
  );
  // Later it is saved again.
  expect(await saving('a', work('a'))).toBe('a');
  expect(begun).toHaveLength(4);
});
