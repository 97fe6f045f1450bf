import { describe, expect, it } from 'vitest';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { BATCH, networkBatches } from '../../../src/workflows/classifier/network-batches.ts';

/** A network whose runs end when they are told to: features are the number that an image is. */
function heldNetwork() {
  const runs: { readonly images: readonly number[]; readonly end: (error?: Error) => void }[] = [];
  const run = (images: readonly number[]): Promise<Matrix> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error): void =>
        error === undefined ? resolve(matrix(images.length, 1, Float32Array.from(images))) : reject(error);
      runs.push({ images, end });
    });
  return { runs, batches: networkBatches(run) };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const many = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('images that are asked about at the same time', () => {
  it('go into the network together while it is busy; the first goes at once', async () => {
    const { runs, batches } = heldNetwork();
    const asked = many(20).map((image) => batches.features(Promise.resolve(image)));
    await settled();
    // One went alone, as it was the first; a full batch waits in the network behind it.
    expect(runs.map(({ images }) => images.length)).toEqual([1, BATCH]);
    for (let i = 0; i < 4; i++) {
      runs[i]?.end();
      await settled();
    }
    expect(runs.flatMap(({ images }) => images)).toEqual(many(20));
    expect(runs).toHaveLength(4);
    expect((await Promise.all(asked)).map(([feature]) => feature)).toEqual(many(20));
  });

  it('wait for a full batch where they are some of many, and not for more than there are', async () => {
    const { runs, batches } = heldNetwork();
    let decode!: () => void;
    const last = new Promise<number>((resolve) => (decode = () => resolve(2)));
    const asked = [0, 1].map((image) => batches.features(Promise.resolve(image), { isBulk: true }));
    asked.push(batches.features(last, { isBulk: true }));
    await settled();
    expect(runs).toEqual([]);
    decode();
    await settled();
    expect(runs.map(({ images }) => images)).toEqual([[0, 1, 2]]);
    runs[0]!.end();
    expect(await Promise.all(asked)).toHaveLength(3);
  });

  it('do not wait where one of many cannot be decoded', async () => {
    const { runs, batches } = heldNetwork();
    const good = batches.features(Promise.resolve(7), { isBulk: true });
    await expect(batches.features(Promise.reject(new Error('torn')), { isBulk: true })).rejects.toThrow('torn');
    await settled();
    runs[0]!.end();
    expect([...(await good)]).toEqual([7]);
  });

  it('do not wait for one of many that is still being decoded', async () => {
    const { runs, batches } = heldNetwork();
    void batches.features(new Promise<number>(() => undefined), { isBulk: true });
    const alone = batches.features(Promise.resolve(3));
    await settled();
    runs[0]!.end();
    expect([...(await alone)]).toEqual([3]);
  });

  it('all hear of a run that fails, and the next run goes on', async () => {
    const { runs, batches } = heldNetwork();
    const asked = many(3).map((image) => batches.features(Promise.resolve(image)));
    const found = Promise.allSettled(asked);
    await settled();
    runs[0]!.end(new Error('lost'));
    await settled();
    runs[1]!.end();
    expect((await found).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });

  it('leave when their call is ended, before the network sees them', async () => {
    const { runs, batches } = heldNetwork();
    const first = batches.features(Promise.resolve(0));
    const ended = new AbortController();
    const left = batches.features(Promise.resolve(1), { signal: ended.signal });
    const stays = batches.features(Promise.resolve(2));
    await settled();
    ended.abort();
    await expect(left).rejects.toMatchObject({ code: 'INTERRUPTED' });
    runs[0]!.end();
    await settled();
    expect(runs[1]!.images).toEqual([2]);
    runs[1]!.end();
    await Promise.all([first, stays]);
  });
});
