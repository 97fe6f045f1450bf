import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolders } from '../support/folders.ts';

/** READERS=whole: a commit before every step of every reading. Default: before eight steps, of costly readings one. */
const { READERS = '' } = process.env;
const SCRIPT = fileURLToPath(new URL('./commit-at-step.mjs', import.meta.url));
const folder = temporaryFolders();

interface Read {
  readonly reading: string;
  readonly writer: string;
  readonly found: string;
  readonly isRight: boolean;
  readonly details: string;
}

/** What readings gave while a writer committed between two of their steps (commit-at-step.mjs). */
async function disturbedReadings(most: number): Promise<Read[]> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify({ folder: folder(), most, only: [] })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const found: Read[] = [];
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) found.push(JSON.parse(line) as Read);
  expect(await exit).toEqual([0, null]);
  return found;
}

describe('a reader that meets a commit', () => {
  let all: Read[];
  beforeAll(async () => {
    all = await disturbedReadings(READERS === 'whole' ? 1000 : 1);
  }, 1_800_000);
  const of = (writer: string): Read[] => all.filter((one) => one.writer === writer);
  const answers = (some: readonly Read[]): string[] => [...new Set(some.map(({ found }) => found))].sort();
  const wrong = (some: readonly Read[]): Read[] => some.filter(({ isRight }) => !isRight);

  it('is one of every command and of the library', () => {
    const names = [...new Set(all.map(({ reading }) => reading))];
    expect(names).toEqual(
      expect.arrayContaining(['samples', 'matrix', 'single rows', 'inspect', 'verify', 'export --csv', 'check']),
    );
    expect(names).toEqual(expect.arrayContaining(['train', 'sweep', 'report', 'neighbors', 'predict']));
    expect(all.length).toBeGreaterThan(150);
  });

  it('gives the answer of the list before or of the one after, where another list is committed', () => {
    expect(wrong(of('another list'))).toEqual([]);
    expect(answers(of('another list'))).toEqual(['a', 'b']);
  });

  it.each(['gc', 'migrate'])('gives the one answer that there is, where %s moves rows', (writer) => {
    expect(of(writer).length).toBeGreaterThan(30);
    expect(wrong(of(writer))).toEqual([]);
  });

  it('says that the store has changed, where rows that it needs were removed, and nothing else', () => {
    expect(wrong(of('another list, and gc'))).toEqual([]);
    expect(answers(of('another list, and gc'))).toContain('STORE_CHANGED');
  });
});
