import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import { openJournal } from '../../../src/store/format/journal.ts';
import { sealJson } from '../../../src/store/format/sealed-json.ts';
import { lockStore } from '../../../src/store/write/lock.ts';
import { openForWriting } from '../../../src/store/write/store.ts';
import {
  journalPath,
  taughtFolders,
  taughtImagePath,
  teachSchema,
  type TeachEvent,
} from '../../../src/store/format/studio-files.ts';
import { repairText, verifyText } from '../../../src/report/store-report.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { makeOld, temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

const folder = temporaryFolders();
const CONTENT = Buffer.from('an image');
const sha256 = sha256Hex(CONTENT);
let store: string;

const image = (id: number, of: number): TeachEvent => ({
  do: 'add-image',
  id,
  class: of,
  name: 'a.png',
  sha256,
});

beforeEach(async () => {
  store = join(folder(), 'store');
  await fillStore(store, [storedRow('a.jpg')]);
  const journal = await openJournal(journalPath(store, 'teach.jsonl'), teachSchema);
  await journal.append({ do: 'add-class', id: 1, name: 'ants' });
  await journal.append(image(2, 1));
  mkdirSync(join(store, 'studio', 'images'));
  writeFileSync(taughtImagePath(store, sha256), CONTENT);
});

describe("the studio's files in a store", () => {
  it('are read by verify, which names the one that is not what was written', async () => {
    expect(await verify(store)).toMatchObject({ ok: true, damaged: [], orphans: [] });
    writeFileSync(taughtImagePath(store, sha256), 'another image');
    const { ok, damaged } = await verify(store);
    expect(ok).toBe(false);
    expect(damaged).toEqual([
      { name: join('studio', 'images', sha256), problem: 'it is not what was written', rows: 0, remedy: 'tell' },
    ]);
    rmSync(taughtImagePath(store, sha256));
    expect((await verify(store)).damaged).toHaveLength(1);
    const journal = journalPath(store, 'teach.jsonl');
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('ants', 'bees'));
    expect((await verify(store)).damaged).toMatchObject([{ name: join('studio', 'teach.jsonl') }]);
  });

  it('are kept by gc and by the next writer; only what no journal names is removed', async () => {
    const stray = taughtImagePath(store, 'f'.repeat(64));
    const half = `${taughtImagePath(store, sha256)}.4711.tmp`;
    for (const path of [stray, half]) writeFileSync(path, 'left by a killed studio');
    makeOld(half);
    expect((await verify(store)).orphans).toEqual([
      join('studio', 'images', `${sha256}.4711.tmp`),
      join('studio', 'images', 'f'.repeat(64)),
    ]);
    expect((await gc(store)).removedFiles).toBe(2);
    expect([stray, half].map((path) => existsSync(path))).toEqual([false, false]);
    await openForWriting(store, '0.0.0');
    expect(existsSync(taughtImagePath(store, sha256))).toBe(true);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('are left alone while a studio is at work, and where its journal is damaged', async () => {
    const stray = taughtImagePath(store, 'f'.repeat(64));
    writeFileSync(stray, 'not named yet');
    const lock = await lockStore(join(store, 'studio'), 'permafrost studio');
    await openForWriting(store, '0.0.0');
    expect(existsSync(stray)).toBe(true);
    await lock.release();
    const journal = journalPath(store, 'teach.jsonl');
    const whole = readFileSync(journal, 'utf8');
    writeFileSync(journal, whole.replace('ants', 'bees'));
    await openForWriting(store, '0.0.0');
    expect(existsSync(stray)).toBe(true);
    writeFileSync(journal, whole);
    await openForWriting(store, '0.0.0');
    expect(existsSync(stray)).toBe(false);
  });

  it('are left by repair and gc as they are, what was saved among them; what is damaged is told with what to do', async () => {
    const studio = join(store, 'studio');
    writeFileSync(join(studio, 'labels.csv'), 'path,label,split\na.jpg,ants,train\n');
    writeFileSync(join(studio, 'map.json'), sealJson({}));
    mkdirSync(join(store, 'taught', 'mine', 'Train'), { recursive: true });
    writeFileSync(join(store, 'taught', 'mine', 'Train', 'a.png'), CONTENT);
    const content = (): Record<string, string> =>
      Object.fromEntries(
        ['studio', 'taught'].flatMap((part) =>
          readdirSync(join(store, part), { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name), 'base64')]),
        ),
      );
    const before = content();
    expect(Object.keys(before)).toHaveLength(6);
    await gc(store, { otherSets: true });
    expect((await repair(store)).next).toBeNull();
    expect(content()).toEqual(before);

    const journal = journalPath(store, 'teach.jsonl');
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('ants', 'bees'));
    const damaged = content();
    // With a damaged shard beside it, which repair does mend.
    const shard = readdirSync(store).find((name) => name.endsWith('-avg.arrow'))!;
    writeFileSync(join(store, shard), 'damaged');
    const repaired = await repair(store);
    expect(repaired.damaged.map(({ name }) => name)).toEqual([shard]);
    expect(repaired.left.map(({ name }) => name)).toEqual([join('studio', 'teach.jsonl')]);
    expect(repaired.next).toMatch(/permafrost extract.*Left as it is: studio.teach\.jsonl .*Restore it/s);
    expect(repairText(repaired)).toContain('remove it with its seal and begin anew');
    expect(content()).toEqual(damaged);
    await gc(store);
    expect(content()).toEqual(damaged);
    const found = verifyText(await verify(store));
    expect(found).toContain('What a person or another command made is left as it is');
    expect(found).not.toContain('extracts just those images again');
  });

  it('an image that was taken back is kept, because an undo may bring it again', async () => {
    const journal = await openJournal(journalPath(store, 'teach.jsonl'), teachSchema);
    await journal.append({ do: 'remove-class', id: 1 });
    await openForWriting(store, '0.0.0');
    expect(existsSync(taughtImagePath(store, sha256))).toBe(true);
  });
});

describe('taughtFolders', () => {
  it('plays classes and images through renaming, removing and undoing', () => {
    const events: TeachEvent[] = [
      { do: 'add-class', id: 1, name: 'a' },
      { do: 'add-class', id: 2, name: 'b' },
      image(3, 1),
      image(4, 2),
      image(5, 2),
      { do: 'rename-class', id: 2, name: 'c' },
      { do: 'remove-image', id: 4 },
      { do: 'remove-class', id: 1 },
    ];
    const shown = (list: readonly TeachEvent[]): string[] =>
      taughtFolders(list).map(({ name, images }) => `${name}: ${images.map(({ id }) => id).join()}`);
    expect(shown(events)).toEqual(['c: 5']);
    expect(shown([...events, { do: 'undo' }])).toEqual(['a: 3', 'c: 5']);
    expect(shown([...events, { do: 'undo' }, { do: 'undo' }, { do: 'undo' }])).toEqual(['a: 3', 'b: 4,5']);
  });
});
