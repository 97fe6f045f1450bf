import { describe, expect, it } from 'vitest';
import { inOrder } from '../../../src/workflows/classifier/in-order.ts';

const later = <T>(value: T, turns: number): Promise<T> =>
  turns === 0 ? Promise.resolve(value) : new Promise((resolve) => setImmediate(() => resolve(later(value, turns - 1))));

async function outputs<T>(stream: AsyncIterable<{ readonly output: T }>): Promise<T[]> {
  const found: T[] = [];
  for await (const { output } of stream) found.push(output);
  return found;
}

describe('work in the order of its inputs', () => {
  it('gives each at its place, however long it takes', async () => {
    const inputs = [5, 0, 3, 1, 9, 2];
    expect(await outputs(inOrder(inputs, 3, (turns) => later(turns, turns)))).toEqual(inputs);
    expect(await outputs(inOrder([], 3, () => Promise.resolve(1)))).toEqual([]);
  });

  it('has so many under way at most, and takes no input before there is room', async () => {
    let [taken, given, most] = [0, 0, 0];
    function* endless(): Generator<number> {
      for (;;) yield taken++;
    }
    for await (const { output } of inOrder(endless(), 4, (n) => later(n, 2))) {
      expect(output).toBe(given++);
      most = Math.max(most, taken - given);
      if (given === 500) break;
    }
    expect(most).toBeLessThanOrEqual(4);
  });

  it('does not hold back what is done while the next input is awaited', async () => {
    let more!: () => void;
    async function* slow(): AsyncGenerator<string> {
      yield 'a';
      await new Promise<void>((resolve) => (more = resolve));
      yield 'b';
    }
    const stream = inOrder(slow(), 8, (input) => Promise.resolve(input));
    expect((await stream.next()).value).toMatchObject({ output: 'a', isLast: true });
    more();
    expect((await stream.next()).value).toMatchObject({ output: 'b' });
    expect((await stream.next()).done).toBe(true);
  });

  it('throws what its work throws, in its turn, and what its inputs throw', async () => {
    const work = (n: number): Promise<number> => (n === 2 ? Promise.reject(new Error('two')) : Promise.resolve(n));
    const stream = inOrder([1, 2, 3], 3, work);
    expect((await stream.next()).value).toMatchObject({ output: 1 });
    await expect(stream.next()).rejects.toThrow('two');
    function* torn(): Generator<number> {
      yield 1;
      throw new Error('torn');
    }
    await expect(outputs(inOrder(torn(), 1, work))).rejects.toThrow('torn');
  });
});
