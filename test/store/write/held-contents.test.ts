import { join } from 'node:path';
import { expect, it } from 'vitest';
import { without } from '../../../src/core/options.ts';
import { heldContents, heldElsewhere } from '../../../src/store/write/held-contents.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { sha256Of, storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

const folder = temporaryFolders();
const digestsIn = ({ digests }: { readonly digests: Buffer }): string[] =>
  Array.from({ length: digests.length / 32 }, (_, i) => digests.toString('hex', 32 * i, 32 * (i + 1)));

async function filled() {
  const rows = Array.from({ length: 9 }, (_, i) => storedRow(`${i}.jpg`));
  return { rows, ...(await fillStore(join(folder(), 'store'), rows, { perShard: 4 })) };
}

it('are all that a set has in every wanted pooling, ascending, with the decoder that read them', async () => {
  const { rows, store, set } = await filled();
  const held = await heldContents(store, [{ set, poolings: ['avg', 'max'] }]);
  expect(digestsIn(held)).toEqual(rows.map(({ sha256 }) => sha256).sort());
  const lookup = heldElsewhere(held);
  for (const { sha256 } of rows) expect(lookup.decoderOf(sha256)).toBeGreaterThan(0);
  expect(lookup.decoderOf(sha256Of('another'))).toBe(0);
});

it('are only those of which no set, and no pooling, lacks the features', async () => {
  const { rows, store, set } = await filled();
  const [first, ...others] = set.shards as [(typeof set.shards)[number], ...(typeof set.shards)[number][]];
  const withoutMax = without(first.files, 'max');
  const poorer = { ...set, shards: [{ ...first, files: withoutMax }, ...others] };
  const less = rows.slice(4).map(({ sha256 }) => sha256);
  expect(digestsIn(await heldContents(store, [{ set: poorer, poolings: ['avg', 'max'] }]))).toEqual(less.sort());
  expect(digestsIn(await heldContents(store, [{ set: poorer, poolings: ['avg'] }]))).toHaveLength(9);
  const both = [
    { set, poolings: ['avg'] },
    { set: { ...set, shards: others }, poolings: ['max'] },
  ] as const;
  expect(digestsIn(await heldContents(store, both))).toEqual(less);
  expect(digestsIn(await heldContents(store, []))).toEqual([]);
});

it('have the oldest decoder that some of their features need, and 255 where none are needed', async () => {
  const { rows, store, set } = await filled();
  const [first, second, third] = set.shards;
  const withoutAvg = without(first!.files, 'avg');
  // Of the first four, max was read by decoder 3, and avg by decoder 2.
  const shards = [
    { ...first!, decoder: 3, files: withoutAvg },
    { ...first!, decoder: 2 },
    { ...second!, decoder: 3 },
    third!,
  ];
  const extra = sha256Of('held out');
  const lookup = heldElsewhere(
    await heldContents(store, [{ set: { ...set, shards }, poolings: ['avg', 'max'] }], [extra]),
  );
  expect(rows.map(({ sha256 }) => lookup.decoderOf(sha256))).toEqual([2, 2, 2, 2, 3, 3, 3, 3, third!.decoder ?? 1]);
  expect(lookup.decoderOf(extra)).toBe(255);
});
