import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileStamp } from '../../../src/core/files/file-stamp.ts';
import { FILE_TIMES_NAME, fileTimesProblem } from '../../../src/store/format/file-times-file.ts';
import { openFileTimes, RACY_MS } from '../../../src/store/format/file-times.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { sha256Of } from '../../support/stored-rows.ts';

const folder = temporaryFolders();
const NOW = 1_700_000_000_000;
const stamp = (given: Partial<FileStamp> = {}): FileStamp => {
  const old = BigInt(NOW - RACY_MS - 1) * 1_000_000n;
  return { size: 100n, mtimeNs: old, ctimeNs: old, ino: 2n ** 64n - 5n, ...given };
};

/** A store that remembers `count` files, and how it recalls one. */
async function remembered(count: number) {
  const store = folder();
  const times = await openFileTimes(store, '/pictures', false);
  for (let i = 0; i < count; i++) times.note(`${i}.jpg`, stamp({ size: BigInt(i) }), sha256Of(String(i)), NOW);
  await times.write();
  return store;
}

describe('the memory of files', () => {
  it('recalls each file by its path and its very stamp, through the disk', async () => {
    const store = await remembered(300);
    const times = await openFileTimes(store, '/pictures', false);
    for (const i of [0, 63, 64, 299])
      expect(times.recall(`${i}.jpg`, stamp({ size: BigInt(i) }))).toBe(sha256Of(String(i)));
    expect(times.recall('300.jpg', stamp())).toBeUndefined();
    for (const changed of [{ size: 8n }, { mtimeNs: 1n }, { ctimeNs: 1n }, { ino: 1n }])
      expect(times.recall('7.jpg', stamp({ size: 7n, ...changed }))).toBeUndefined();
  });

  it('keeps what was seen in a run, and forgets the rest', async () => {
    const store = await remembered(3);
    const times = await openFileTimes(store, '/pictures', false);
    times.recall('1.jpg', stamp({ size: 1n }));
    await times.write();
    const after = await openFileTimes(store, '/pictures', false);
    expect([0, 1, 2].map((i) => after.recall(`${i}.jpg`, stamp({ size: BigInt(i) })))).toEqual([
      undefined,
      sha256Of('1'),
      undefined,
    ]);
  });

  it('keeps what was recalled beside what was noted, and of one file what was noted last', async () => {
    const store = await remembered(5);
    const times = await openFileTimes(store, '/pictures', false);
    for (const i of [1, 3, 4]) times.recall(`${i}.jpg`, stamp({ size: BigInt(i) }));
    // One that changed, one that changed while it was read, one that is new.
    times.note('2.jpg', stamp({ size: 22n }), sha256Of('changed'), NOW);
    times.note('3.jpg', stamp({ size: 33n }), sha256Of('changed meanwhile'), NOW);
    times.note('5.jpg', stamp({ size: 5n }), sha256Of('new'), NOW);
    await times.write();
    const after = await openFileTimes(store, '/pictures', false);
    const sizes = [0, 1, 2, 3, 4, 5, 22, 33];
    const told = [0, 1, 2, 3, 4, 5].map((i) =>
      sizes.flatMap((size) => after.recall(`${i}.jpg`, stamp({ size: BigInt(size) })) ?? []),
    );
    const expected = [[], ['1'], ['changed'], ['changed meanwhile'], ['4'], ['new']];
    expect(told).toEqual(expected.map((texts) => texts.map(sha256Of)));
  });

  it('is not written where all is as it was', async () => {
    const store = await remembered(3);
    const fileOf = () => statSync(join(store, FILE_TIMES_NAME)).ino;
    const before = fileOf();
    const times = await openFileTimes(store, '/pictures', false);
    for (const i of [0, 1, 2]) times.recall(`${i}.jpg`, stamp({ size: BigInt(i) }));
    await times.write();
    expect(fileOf()).toBe(before);
    const fewer = await openFileTimes(store, '/pictures', false);
    for (const i of [0, 1]) fewer.recall(`${i}.jpg`, stamp({ size: BigInt(i) }));
    await fewer.write();
    expect(fileOf()).not.toBe(before);
  });

  it('is empty for another folder, and where it is asked to be', async () => {
    const store = await remembered(1);
    for (const times of [
      await openFileTimes(store, '/elsewhere', false),
      await openFileTimes(store, '/pictures', true),
    ])
      expect(times.recall('0.jpg', stamp({ size: 0n }))).toBeUndefined();
  });

  it.each(['mtimeNs', 'ctimeNs'])('does not trust a file whose %s is too near to its reading', async (key) => {
    const store = folder();
    const times = await openFileTimes(store, '/pictures', false);
    const racy = stamp({ [key]: BigInt(NOW - RACY_MS) * 1_000_000n });
    times.note('a.jpg', racy, sha256Of('a'), NOW);
    times.note('b.jpg', racy, sha256Of('b'), NOW + 1);
    await times.write();
    const after = await openFileTimes(store, '/pictures', false);
    expect([after.recall('a.jpg', racy), after.recall('b.jpg', racy)]).toEqual([undefined, sha256Of('b')]);
  });

  it('is refused with STORE_CORRUPT wherever a byte of it is changed or it is cut short', async () => {
    const store = await remembered(2);
    const path = join(store, FILE_TIMES_NAME);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      // A space of the header becomes a tab, which JSON takes for the same.
      bytes[at]! ^= bytes[at] === 0x20 ? 0x29 : 1;
      writeFileSync(path, at % 50 === 0 ? whole.subarray(0, at) : bytes);
      expect([at, (await fileTimesProblem(store))?.code]).toEqual([at, 'STORE_CORRUPT']);
    }
    await rejection(openFileTimes(store, '/pictures', false), 'STORE_CORRUPT');
  });
});
