import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../../src/store/open.ts';
import {
  batchesOf,
  evenParts,
  partsOf,
  storedInputs,
  type PickedImage,
  type TailInputs,
} from '../../../../src/workflows/finetune/training/inputs.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { storedRow } from '../../../support/stored-rows.ts';
import { fillStore } from '../../../support/stores.ts';

const folder = temporaryFolders();

it('reads stored maps by the numbers of the images, in any order, whatever order they are stored in', async () => {
  const rows = Array.from({ length: 40 }, (_, i) =>
    storedRow(`${String(i).padStart(3, '0')}.jpg`, {
      label: i % 2 ? 'bee' : 'ant',
      split: i % 4 === 3 ? 'val' : 'train',
    }),
  );
  const path = join(folder(), 'store');
  const { set } = await fillStore(path, rows.toReversed(), { perShard: 7 });
  const store = await openStore(path);
  const { cut } = set.settings;
  const inputs = await storedInputs(store, cut, 'train', 0);
  const whole = await store.rows({ parts: [{ cut, pooling: 'flatten' }], splits: ['train'], memory: 'matrix' });
  const order = [17, 0, 29, 3, 4, 11];
  const out = new Float32Array(order.length * inputs.width);
  await inputs.read(
    order.map((image) => ({ image, view: 0 })),
    out,
  );
  const { data, cols } = whole.matrix;
  order.forEach((image, i) =>
    expect(out.subarray(i * cols, (i + 1) * cols)).toEqual(data.subarray(image * cols, (image + 1) * cols)),
  );
});

/** Inputs of one number, the image's own, and which groups were read. */
function numbered(fails?: number): TailInputs & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    width: 1,
    reads,
    async read(picks, out) {
      reads.push(picks[0]!.image);
      await sleep(1);
      if (picks[0]!.image === fails) throw new Error('unreadable');
      picks.forEach(({ image }, i) => (out[i] = image));
    },
  };
}
const groups: PickedImage[][] = partsOf(
  Array.from({ length: 7 }, (_, image) => ({ image, view: 0 })),
  3,
);

it('reads a group while the one before it is worked on', async () => {
  const inputs = numbered();
  const seen: number[][] = [];
  for await (const { picks, data } of batchesOf(inputs, groups)) {
    expect([...data]).toEqual(picks.map(({ image }) => image));
    await sleep(5);
    expect(inputs.reads).toHaveLength(Math.min(groups.length, seen.length + 2));
    expect([...data]).toEqual(picks.map(({ image }) => image));
    seen.push([...data]);
  }
  expect(seen).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
});

it('throws what reading throws when the turn of that group comes', async () => {
  const seen: number[] = [];
  const reading = async () => {
    for await (const { data } of batchesOf(numbered(3), groups)) seen.push(...data);
  };
  await expect(reading()).rejects.toThrow('unreadable');
  expect(seen).toEqual([0, 1, 2]);
});

it('gives the steps of an epoch equal shares', () => {
  const sizes = evenParts(
    Array.from({ length: 100 }, (_, i) => i),
    3,
  ).map(({ length }) => length);
  expect([...sizes].sort()).toEqual([33, 33, 34]);
  expect(evenParts([1, 2], 1)).toEqual([[1, 2]]);
});
