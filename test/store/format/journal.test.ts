import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cutPath, openJournal, readJournal, withoutUndone } from '../../../src/store/format/journal.ts';
import { sealPath } from '../../../src/store/format/seal-beside.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const schema = z.strictObject({ do: z.string(), n: z.number() });
const entry = (n: number) => ({ do: 'x', n });

async function journalOf(count: number): Promise<string> {
  const path = join(folder(), 'deep', 'journal.jsonl');
  const journal = await openJournal(path, schema);
  // All at once: they come in the order of the calls.
  await Promise.all(Array.from({ length: count }, (_, n) => journal.append(entry(n))));
  return path;
}
const numbers = async (path: string): Promise<number[]> => (await readJournal(path, schema)).entries.map(({ n }) => n);

describe('a journal', () => {
  it('gives back what was appended, in the order of the calls, and goes on when opened again', async () => {
    const path = await journalOf(5);
    expect(await numbers(path)).toEqual([0, 1, 2, 3, 4]);
    const again = await openJournal(path, schema);
    await again.append(entry(5));
    expect(again.entries.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await numbers(path)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('of an older version, without a seal, cut anywhere keeps every whole line, and the rest beside it', async () => {
    const path = await journalOf(4);
    const whole = readFileSync(path);
    const seal = readFileSync(sealPath(path));
    const ends = [...whole.keys()].filter((i) => whole[i] === 10);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
        writeFileSync(path, whole);
        rmSync(sealPath(path), { force: true });
        rmSync(cutPath(path), { force: true });
        truncateSync(path, length);
        const kept = ends.filter((end) => end < length).length;
        const notes: string[] = [];
        const journal = await openJournal(path, schema, (text) => notes.push(text));
        expect(journal.entries).toHaveLength(kept);
        const rest = whole.subarray(kept === 0 ? 0 : ends[kept - 1]! + 1, length).toString();
        if (rest === '') expect([notes, existsSync(cutPath(path))]).toEqual([[], false]);
        else
          expect([notes.join(), readFileSync(cutPath(path), 'utf8')]).toEqual([
            expect.stringContaining('.cut'),
            `${rest}\n`,
          ]);
        await journal.append(entry(99));
        expect(await numbers(path)).toEqual([...Array(kept).keys(), 99]);
        // With its seal, nothing that was confirmed is lost unnoticed.
        writeFileSync(path, whole);
        writeFileSync(sealPath(path), seal);
        truncateSync(path, length);
        if (length < whole.length) await rejection(openJournal(path, schema), 'STORE_CORRUPT');
      }),
      { numRuns: 40 },
    );
  });

  it('keeps and says what follows its sealed end: a line that was never confirmed', async () => {
    const path = await journalOf(3);
    const whole = readFileSync(path);
    const notes: string[] = [];
    // Whole, but its seal was not written any more.
    const longer = await openJournal(path, schema);
    const seal = readFileSync(sealPath(path));
    await longer.append(entry(3));
    writeFileSync(sealPath(path), seal);
    expect(await numbers(path)).toEqual([0, 1, 2, 3]);
    // Half, and the zeros of a power cut.
    for (const half of ['{"entry":{"do":"x', '{"en', '\0\0\0\0']) {
      writeFileSync(path, Buffer.concat([whole, Buffer.from(half)]));
      const journal = await openJournal(path, schema, (text) => notes.push(text));
      expect(journal.entries).toHaveLength(3);
      expect(readFileSync(path).equals(whole)).toBe(true);
      expect(readFileSync(cutPath(path), 'utf8').endsWith(`${half}\n`)).toBe(true);
    }
    expect(notes).toHaveLength(3);
  });

  it('names every damage at its end, and a file that is gone', async () => {
    const path = await journalOf(3);
    const whole = readFileSync(path);
    const lastLine = whole.subarray(0, -1).lastIndexOf(10) + 1;
    const flipped = (at: number): Buffer => {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      return bytes;
    };
    const zeroed = Buffer.from(whole).fill(0, whole.length - 40);
    const damages = {
      'line feed': flipped(whole.length - 1),
      'last digit': flipped(whole.length - 4),
      'a byte less': whole.subarray(0, -1),
      'a line less': whole.subarray(0, lastLine),
      nothing: Buffer.alloc(0),
      zeroed,
      'a line feed more': Buffer.concat([whole, Buffer.from('\n')]),
      'a letter more': Buffer.concat([whole, Buffer.from('x')]),
      'its last line again': Buffer.concat([whole, whole.subarray(lastLine)]),
    };
    for (const [damage, bytes] of Object.entries(damages)) {
      writeFileSync(path, bytes);
      const { message } = await rejection(readJournal(path, schema), 'STORE_CORRUPT');
      expect([damage, message]).toEqual([damage, expect.stringContaining('is not what was written')]);
      await rejection(openJournal(path, schema), 'STORE_CORRUPT');
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
    rmSync(path);
    expect((await rejection(readJournal(path, schema), 'STORE_CORRUPT')).message).toContain('it is gone');
    writeFileSync(path, whole);
    writeFileSync(sealPath(path), readFileSync(sealPath(path), 'utf8').replace('"bytes"', '"byteS"'));
    expect((await rejection(readJournal(path, schema), 'STORE_CORRUPT')).message).toContain('its seal');
  });

  it('does not go on after a change by something else', async () => {
    const path = await journalOf(1);
    const journal = await openJournal(path, schema);
    appendFileSync(path, 'other\n');
    await rejection(journal.append(entry(1)), 'STORE_WRITE');
    expect(readFileSync(path, 'utf8').endsWith('other\n')).toBe(true);
  });

  it('names the line in which a byte was changed, a line that was taken out, and one that was doubled', async () => {
    const path = await journalOf(4);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const written = async (changed: readonly string[]): Promise<string> => {
      writeFileSync(path, changed.map((line) => `${line}\n`).join(''));
      return (await rejection(readJournal(path, schema), 'STORE_CORRUPT')).message;
    };
    expect(await written(lines.map((line) => line.replace('"n":2', '"n":7')))).toContain('line 3');
    expect(await written(lines.filter((_, i) => i !== 1))).toContain('line 2');
    expect(await written([lines[0]!, lines[0]!])).toContain('line 2');
    expect(await written(['no JSON'])).toContain('line 1');
    await rejection(openJournal(path, schema), 'STORE_CORRUPT');
  });

  it('is empty where there is no file, and refuses a folder in its place', async () => {
    const path = await journalOf(1);
    rmSync(path);
    rmSync(sealPath(path));
    expect(await numbers(path)).toEqual([]);
    mkdirSync(path);
    await rejection(readJournal(path, schema), 'STORE_CORRUPT');
  });

  it('refuses entries of another shape', async () => {
    const path = await journalOf(1);
    await rejection(readJournal(path, z.strictObject({ other: z.number() })), 'STORE_CORRUPT');
    appendFileSync(path, '{"entry":{"half');
    expect(await numbers(path)).toEqual([0]);
  });

  it('takes back one entry an undo, the last one that is not taken back yet', () => {
    const steps = ['a', 'b', 'undo', 'c', 'undo', 'undo', 'undo', 'd'].map((step) => ({ do: step }));
    expect(withoutUndone(steps.slice(0, 4)).map((e) => e.do)).toEqual(['a', 'c']);
    expect(withoutUndone(steps).map((e) => e.do)).toEqual(['d']);
  });
});
