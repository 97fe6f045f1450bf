import { describe, expect, it } from 'vitest';
import { readAhead } from '../../../../src/extract/source/s3/read-ahead.ts';

const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));

/** A reader of these bytes in windows of 1,000, and what it asked for. */
function reader(fails: () => boolean = () => false) {
  const asked: [number, number][] = [];
  const read = readAhead((offset, length) => {
    asked.push([offset, length]);
    return fails() ? Promise.reject(new Error('broke off')) : Promise.resolve(bytes.subarray(offset, offset + length));
  }, 1000);
  return { asked, read };
}
const part = (offset: number, length: number): Buffer => bytes.subarray(offset, offset + length);

describe('parts of an object', () => {
  it('that follow each other come in windows, many asked for at once too', async () => {
    const { asked, read } = reader();
    const offsets = Array.from({ length: 40 }, (_, i) => i * 100 + 20);
    const found = await Promise.all(offsets.map((offset) => read(offset, 60)));
    for (const [i, offset] of offsets.entries()) expect(found[i]).toEqual(part(offset, 60));
    expect(asked).toEqual([
      [20, 60],
      [120, 1000],
      [1120, 1000],
      [2120, 1000],
      [3120, 1000],
    ]);
  });

  it('that lie anywhere come one by one, and such as are large at once', async () => {
    const { asked, read } = reader();
    for (const [offset, length] of [
      [5000, 60],
      [100, 60],
      [200_000, 60],
      [0, 1500],
      [1500, 1200],
    ] as const)
      expect(await read(offset, length)).toEqual(part(offset, length));
    expect(asked).toEqual([
      [5000, 60],
      [100, 60],
      [200_000, 60],
      [0, 1500],
      [1500, 1200],
    ]);
  });

  it('are asked for again where a window failed', async () => {
    let isBroken = true;
    const { asked, read } = reader(() => isBroken && asked.length === 2);
    await read(0, 50);
    await expect(read(50, 50)).rejects.toThrow('broke off');
    isBroken = false;
    expect(await read(100, 50)).toEqual(part(100, 50));
    expect(asked).toEqual([
      [0, 50],
      [50, 1000],
      [100, 1000],
    ]);
  });
});
