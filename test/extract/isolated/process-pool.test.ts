import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type * as PoolModule from '../../../src/extract/isolated/process-pool.ts';
import type * as WhyModule from '../../../src/extract/isolated/why-ended.ts';
import { PermafrostError } from '../../../src/core/errors.ts';
import { built } from '../../support/built.ts';

const { processPool } = await built<typeof PoolModule>('extract/isolated/process-pool.js');
const { whyEnded } = await built<typeof WhyModule>('extract/isolated/why-ended.js');

interface Task {
  readonly do: 'answer' | 'die' | 'leave' | 'hang' | 'fill';
  readonly signal?: string;
}
interface Answer {
  readonly pid: number;
  readonly adjustment: number | undefined;
}

const failed = (why: string): PermafrostError => new PermafrostError('ENGINE_FAILED', `It ${why}.`);
const pool = (oneTask: boolean) =>
  processPool<Task, Answer>({
    entry: new URL('../../support/serving-process.mjs', import.meta.url),
    ended: (how, _task, limits) => failed(whyEnded(how, limits)),
    late: () => failed('was late'),
    oneTask,
  });
const LIMITS = { mostMs: 60_000, mostBytes: 2 ** 40 };
const isLinux = process.platform === 'linux';

describe('a process of a pool', () => {
  it('is used again, or for one task alone, and is gone then', async () => {
    const [again, once] = [pool(false), pool(true)];
    const ask = async (run: typeof again) => (await run({ do: 'answer' }, Uint8Array.of(1, 2), LIMITS)).content.pid;
    expect(await ask(again)).toBe(await ask(again));
    const [first, second] = [await ask(once), await ask(once)];
    expect(first).not.toBe(second);
    if (isLinux) expect([first, second].map((pid) => existsSync(`/proc/${pid}`))).toEqual([false, false]);
  });

  it('hands bytes on, and is what Linux ends first where memory is short', async () => {
    const { content, bytes } = await pool(true)({ do: 'answer' }, Uint8Array.of(1, 2, 3), LIMITS);
    expect([...bytes]).toEqual([1, 2, 3]);
    if (isLinux) expect(content.adjustment).toBe(1000);
  });

  it.each<[Task, RegExp]>([
    [{ do: 'die', signal: 'SIGSEGV' }, /^It ended with SIGSEGV before it answered\.$/],
    [{ do: 'leave' }, /^It ended with exit code 7 before it answered\.$/],
  ])('that dies is told by how: %j', async (task, message) => {
    await expect(pool(true)(task, new Uint8Array(), LIMITS)).rejects.toThrow(message);
  });

  it('is ended where a task takes too long, or too much memory, and has ended by then', async () => {
    const run = pool(true);
    await expect(run({ do: 'hang' }, new Uint8Array(), { ...LIMITS, mostMs: 500 })).rejects.toThrow('It was late.');
    await expect(run({ do: 'fill' }, new Uint8Array(), { ...LIMITS, mostBytes: 2 ** 28 })).rejects.toThrow(
      'It took 256 MiB of memory and was stopped.',
    );
  });

  it('is ended by the signal of its task', async () => {
    const signal = AbortSignal.timeout(500);
    const work = pool(true)({ do: 'hang' }, new Uint8Array(), { ...LIMITS, signal });
    await expect(work).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
