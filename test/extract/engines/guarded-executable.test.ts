import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { guardedExecutable } from '../../../src/extract/engines/guarded-executable.ts';

const pixels = new Uint8Array(2 * 4 * 4 * 3);

describe('a guarded executable', () => {
  it('turns whatever the runtime throws into one ENGINE_FAILED with the cause, and runs again', async () => {
    const cause = new Error('out of\n memory');
    let calls = 0;
    const loaded = guardedExecutable({
      runtime: 'The runtime',
      size: 4,
      infer: () => (++calls === 1 ? Promise.reject(cause) : Promise.resolve([matrix(2, 1)])),
      release: () => Promise.resolve(),
    });
    await expect(loaded.run(pixels, 2)).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringContaining('The runtime failed on a batch of 2: out of memory') as string,
      cause,
    });
    expect(await loaded.run(pixels, 2)).toHaveLength(1);
  });

  it('hands the runtime exactly the bytes of the images', async () => {
    const seen: number[] = [];
    const loaded = guardedExecutable({
      runtime: 'The runtime',
      size: 4,
      infer: (bytes) => Promise.resolve(seen.push(bytes.length)).then(() => []),
      release: () => Promise.resolve(),
    });
    await loaded.run(pixels, 1);
    expect(seen).toEqual([48]);
  });

  it('releases once, after the runs in flight, one of which may fail', async () => {
    const events: string[] = [];
    const settle: (() => void)[] = [];
    const loaded = guardedExecutable({
      runtime: 'The runtime',
      size: 4,
      infer: () =>
        new Promise((_, reject) => {
          settle.push(() => reject(new Error('no')));
        }),
      release: () => Promise.resolve(void events.push('released')),
    });
    const run = loaded.run(pixels, 1).catch(() => events.push('failed'));
    const disposed = Promise.all([loaded.dispose(), loaded.dispose()]);
    await new Promise(setImmediate);
    expect(events).toEqual([]);
    settle[0]!();
    await Promise.all([run, disposed]);
    expect(events.toSorted()).toEqual(['failed', 'released']);
    await expect(loaded.run(pixels, 1)).rejects.toThrow(/disposed/);
  });
});
