import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openJournal, readJournal, withoutUndone } from '../../../src/store/format/journal.ts';
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

  it('cut anywhere keeps every whole line, and goes on from there', async () => {
    const path = await journalOf(4);
    const whole = readFileSync(path);
    const ends = [...whole.keys()].filter((i) => whole[i] === 10);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async (length) => {
        writeFileSync(path, whole);
        truncateSync(path, length);
        const kept = ends.filter((end) => end < length).length;
        const journal = await openJournal(path, schema);
        expect(journal.entries).toHaveLength(kept);
        await journal.append(entry(99));
        expect(await numbers(path)).toEqual([...Array(kept).keys(), 99]);
      }),
      { numRuns: 40 },
    );
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
    expect(await numbers(path)).toEqual([]);
    mkdirSync(path);
    await rejection(readJournal(path, schema), 'STORE_CORRUPT');
  });

  it('refuses entries of another shape', async () => {
    const path = await journalOf(1);
    await rejection(readJournal(path, z.strictObject({ other: z.number() })), 'STORE_CORRUPT');
    appendFileSync(path, 'half a line');
    expect(await numbers(path)).toEqual([0]);
  });

  it('takes back one entry an undo, the last one that is not taken back yet', () => {
    const steps = ['a', 'b', 'undo', 'c', 'undo', 'undo', 'undo', 'd'].map((step) => ({ do: step }));
    expect(withoutUndone(steps.slice(0, 4)).map((e) => e.do)).toEqual(['a', 'c']);
    expect(withoutUndone(steps).map((e) => e.do)).toEqual(['d']);
  });
});
