import type { HTTPException } from 'hono/http-exception';
import { describe, expect, it } from 'vitest';
import { makeQueue } from '../../src/serve/queue.ts';

function statusOf(work: () => unknown): number {
  try {
    work();
  } catch (error) {
    return (error as HTTPException).status;
  }
  return 200;
}

describe('the queue of the service', () => {
  it('takes as many images as it has places, and gives places back once', () => {
    const queue = makeQueue(3, 1000);
    const first = queue.enter(1);
    first.take(1);
    const second = queue.enter(1);
    expect(queue.images).toBe(3);
    expect(statusOf(() => queue.enter(1))).toBe(429);
    expect(statusOf(() => second.take(1))).toBe(429);
    first.leave();
    first.leave();
    expect(queue.images).toBe(1);
    second.take(2);
    expect(queue.images).toBe(3);
    second.leave();
    expect(queue.images).toBe(0);
  });

  it('bounds the bytes of bodies by what they announce, then by what they have', () => {
    const queue = makeQueue(100, 10);
    const first = queue.enter(8);
    expect(statusOf(() => queue.enter(3))).toBe(429);
    first.holds(2);
    const second = queue.enter(8);
    expect(statusOf(() => queue.enter(1))).toBe(429);
    second.leave();
    first.leave();
    // Alone, any body may come: --max-bytes bounds it.
    expect(statusOf(() => queue.enter(11))).toBe(200);
  });

  it('says in whole seconds when to come again, at the pace of what has left', async () => {
    const queue = makeQueue(1000, 1000);
    const first = queue.enter(1);
    const many = queue.enter(1);
    many.take(998);
    expect(queue.retryAfterSeconds).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    first.leave();
    // One image took at least 19 ms of the clock, and 999 wait.
    expect(queue.retryAfterSeconds).toBeGreaterThanOrEqual(18);
    expect(Number.isInteger(queue.retryAfterSeconds)).toBe(true);
    many.leave();
    expect(queue.retryAfterSeconds).toBe(1);
  });
});
