import { describe, expect, it } from 'vitest';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { sharedRuns } from '../../../src/workflows/classifier/shared-runs.ts';

/** A network whose runs end when they are told to: an image is two bytes, its feature their sum. */
function heldNetwork() {
  const runs: { readonly images: readonly number[]; readonly end: (error?: Error) => void }[] = [];
  const run = (pixels: Uint8Array, count: number): Promise<readonly Matrix[]> =>
    new Promise((resolve, reject) => {
      const images = Array.from({ length: count }, (_, i) => pixels[2 * i]! + pixels[2 * i + 1]!);
      const end = (error?: Error): void =>
        error === undefined ? resolve([matrix(count, 1, Float32Array.from(images))]) : reject(error);
      runs.push({ images, end });
    });
  return { runs, ask: sharedRuns(run, 2) };
}

const images = (...values: number[]): [Uint8Array, number] => [
  Uint8Array.from(values.flatMap((value) => [1, value - 1])),
  values.length,
];
const values = async (outputs: Promise<readonly Matrix[]>): Promise<number[]> => [...(await outputs)[0]!.data];
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('runs that several heads ask for', () => {
  it('go together while the network is busy, and an image of several goes once', async () => {
    const { runs, ask } = heldNetwork();
    const asked = [ask(...images(5)), ask(...images(7, 9)), ask(...images(9)), ask(...images(7))];
    expect(runs.map((one) => one.images)).toEqual([[5]]);
    runs[0]!.end();
    await settled();
    expect(runs.map((one) => one.images)).toEqual([[5], [7, 9]]);
    runs[1]!.end();
    expect(await Promise.all(asked.map(values))).toEqual([[5], [7, 9], [9], [7]]);
    // Each head may write into what it gets.
    const [one, other] = [await asked[2]!, await asked[1]!];
    one[0]!.data[0] = 0;
    expect(other[0]!.data[1]).toBe(9);
  });

  it('are of eight images at most, and a full one waits behind that in the network', async () => {
    const { runs, ask } = heldNetwork();
    const asked = [2, 3, 4, 5, 6].map((first) => ask(...images(first, 10 * first, 20 * first)));
    await settled();
    expect(runs.map((one) => one.images.length)).toEqual([3, 6]);
    for (let i = 0; i < 3; i++) {
      runs[i]!.end();
      await settled();
    }
    expect(runs.map((one) => one.images.length)).toEqual([3, 6, 6]);
    expect((await Promise.all(asked.map(values))).flat()).toHaveLength(15);
  });

  it('fail for those whose run failed alone', async () => {
    const { runs, ask } = heldNetwork();
    const asked = [ask(...images(1)), ask(...images(2)), ask(...images(3))];
    runs[0]!.end();
    await settled();
    runs[1]!.end(new Error('torn'));
    expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    const after = ask(...images(4));
    runs[2]!.end();
    expect(await values(after)).toEqual([4]);
  });
});
