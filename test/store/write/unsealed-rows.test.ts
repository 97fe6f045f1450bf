import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POOLINGS, type Pooling } from '../../../src/core/sample.ts';
import { verifyStore } from '../../../src/store/care/verify.ts';
import type { StoredSample } from '../../../src/store/format/shard.ts';
import { isUnsealed } from '../../../src/store/format/unsealed-file.ts';
import { sealUnsealed } from '../../../src/store/write/seal-unsealed.ts';
import { setsWriter, type SetsWriter } from '../../../src/store/write/sets-writer.ts';
import { openForWriting, setFor } from '../../../src/store/write/store.ts';
import type { Keeping } from '../../../src/store/write/writer.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { ENGINE, featuresOf, settingsWith, WIDTHS } from '../../support/stored-rows.ts';
import { filesOf, named, sealed, shardBytesFor } from '../../support/stores.ts';

const folder = temporaryFolders();
const newStore = (): string => join(folder(), 'store');
const NEVER: Keeping = { afterMs: Infinity, now: () => 0 };

const unsealedIn = (store: string): string[] => readdirSync(store).filter(isUnsealed).sort();

interface Given {
  readonly keeping?: Keeping;
  readonly poolings?: readonly Pooling[];
  readonly decoder?: number;
  readonly rows?: number;
}

/** A writer of an extraction into one set, as a process that begins opens it. */
async function extraction(
  store: string,
  { keeping = NEVER, poolings = DEFAULT_POOLINGS, decoder, rows = 8 }: Given = {},
): Promise<SetsWriter> {
  const { manifest } = await openForWriting(store, '0.0.0');
  const set = setFor(manifest, { settings: settingsWith(), engine: ENGINE, widths: WIDTHS });
  return setsWriter({
    store: { path: store, manifest },
    wanted: [{ set, poolings }],
    expectedRows: 1000,
    shardBytes: shardBytesFor(rows),
    goesOn: true,
    keeping,
    ...(decoder !== undefined && { decoder }),
  });
}

/** Appends what the store lacks of some rows, two at a time, eight a unit of the listing. */
async function bring(writer: SetsWriter, rows: readonly StoredSample[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 2) {
    const lacking = rows.slice(at, at + 2).filter(({ sha256 }) => !writer.isKnown(sha256));
    if (lacking.length > 0) await writer.append([featuresOf(lacking)], Math.floor(at / 8));
  }
}

/** The store of an extraction that nothing disturbed. */
async function undisturbed(rows: readonly StoredSample[]): Promise<Record<string, string>> {
  const store = newStore();
  const writer = await extraction(store);
  await bring(writer, rows);
  await writer.seal();
  return filesOf(store);
}

describe('rows of a shard that is open for long', () => {
  it('are kept half a minute after the first of them that is not, and go when their shard is sealed', async () => {
    const store = newStore();
    let now = 0;
    const writer = await extraction(store, { keeping: { afterMs: 30_000, now: () => now } });
    const rows = named(12);
    const kept: number[] = [];
    for (const [i, seconds] of [0, 29, 30, 31, 59, 62].entries()) {
      now = seconds * 1000;
      await writer.append([featuresOf(rows.slice(2 * i, 2 * i + 2))], Math.floor(i / 4));
      kept.push(unsealedIn(store).length);
    }
    // After 30 s three batches; the fourth fills the shard; 3 s after the fifth nothing is due.
    expect(kept).toEqual([0, 0, 1, 0, 0, 0]);
    await writer.seal();
    expect(filesOf(store)).toEqual(await undisturbed(rows));
  });

  it.each([1, 2, 3, 5, 6])('give the shards of an undisturbed run to who goes on after batch %i', async (batches) => {
    const rows = named(13);
    const store = newStore();
    const killed = await extraction(store, { keeping: { afterMs: 0, now: () => 0 } });
    await bring(killed, rows.slice(0, 2 * batches)); // and no more: it is gone
    const again = await extraction(store);
    expect(rows.filter(({ sha256 }) => again.isKnown(sha256))).toHaveLength(Math.min(rows.length, 2 * batches));
    await bring(again, rows);
    await again.seal();
    expect(filesOf(store)).toEqual(await undisturbed(rows));
  });

  it('are kept by who is interrupted, as often as that happens', async () => {
    const rows = named(11);
    const store = newStore();
    for (const end of [2, 2, 6, 10]) {
      const writer = await extraction(store);
      await bring(writer, rows.slice(0, end));
      await writer.keep();
      await writer.keep();
    }
    expect(await sealed(store)).toHaveLength(1);
    expect(unsealedIn(store)).toHaveLength(1);
    const last = await extraction(store);
    await bring(last, rows);
    await last.seal();
    expect(filesOf(store)).toEqual(await undisturbed(rows));
  });

  it('count once where a kill left them beside their sealed shard', async () => {
    const rows = named(8);
    const store = newStore();
    const writer = await extraction(store);
    await bring(writer, rows.slice(0, 4));
    await writer.keep();
    const [name] = unsealedIn(store);
    const bytes = readFileSync(join(store, name!));
    const again = await extraction(store);
    await bring(again, rows);
    await again.seal();
    writeFileSync(join(store, name!), bytes);
    await (await extraction(store)).seal();
    expect(filesOf(store)).toEqual(await undisturbed(rows));
  });

  it('of other poolings or an older decoder are sealed in shards of their own', async () => {
    const store = newStore();
    const avg = await extraction(store, { poolings: ['avg'] });
    await avg.append([{ rows: named(3), features: featuresOf(named(3)).features }], 0);
    await avg.keep();
    const old = await extraction(store, { decoder: 2 });
    await old.append([featuresOf(named(2, 3))], 0);
    await old.keep();
    expect(unsealedIn(store)).toHaveLength(2);
    const now = await extraction(store, { decoder: 3 });
    expect(named(5).map(({ sha256 }) => now.isKnown(sha256))).toEqual([false, false, false, true, true]);
    await now.append([featuresOf(named(2, 5))], 0);
    await now.seal();
    expect(unsealedIn(store)).toEqual([]);
    expect((await verifyStore(store, '0.0.0')).damaged).toEqual([]);
    expect((await sealed(store)).flat().sort()).toEqual(named(7).map(({ path }) => path));
  });

  it('are left to the extraction that they are of by one of other images', async () => {
    const rows = named(13);
    const store = newStore();
    const writer = await extraction(store);
    await bring(writer, rows.slice(0, 10));
    await writer.keep();
    const other = await extraction(store);
    await bring(other, rows.slice(0, 8));
    await other.seal();
    expect(unsealedIn(store)).toHaveLength(1);
    const again = await extraction(store);
    await bring(again, rows);
    await again.seal();
    expect(filesOf(store)).toEqual(await undisturbed(rows));
  });

  it('fit into one shard also where shards are smaller now', async () => {
    const rows = named(8);
    const store = newStore();
    const writer = await extraction(store);
    await bring(writer, rows.slice(0, 6));
    await writer.keep();
    const smaller = await extraction(store, { rows: 2 });
    await bring(smaller, rows);
    await smaller.seal();
    expect(await sealed(store)).toEqual([rows.slice(0, 6).map(({ path }) => path), ['6.jpg', '7.jpg']]);
  });

  it('are verified; a damaged file is named, and taken up by nobody', async () => {
    const store = newStore();
    const writer = await extraction(store);
    await bring(writer, named(4));
    await writer.keep();
    const [name] = unsealedIn(store);
    const whole = await verifyStore(store, '0.0.0');
    expect([whole.damaged, whole.orphans]).toEqual([[], []]);
    const bytes = readFileSync(join(store, name!));
    for (const at of [0, 9, bytes.length >> 1, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      writeFileSync(join(store, name!), changed);
      expect((await verifyStore(store, '0.0.0')).damaged.map((file) => file.name)).toEqual([name]);
      const { message } = await rejection(extraction(store), 'STORE_CORRUPT');
      expect(message).toContain('"permafrost repair" removes it');
    }
    writeFileSync(join(store, name!), bytes);
    const { manifest } = await openForWriting(store, '0.0.0');
    setFor(manifest, { settings: settingsWith(), engine: ENGINE, widths: WIDTHS });
    await sealUnsealed({ path: store, manifest });
    expect(await sealed(store)).toEqual([named(4).map(({ path }) => path)]);
  });
});
