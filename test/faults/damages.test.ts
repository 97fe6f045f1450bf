import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { answerOf, DAMAGES, filesBelow, tried } from '../../bench/faults/damage-matrix.mjs';
import { makeFullStore } from '../../bench/faults/full-store.mjs';
import { isFree, readersOf } from '../../bench/faults/store-readers.mjs';
import { FILE_KINDS, kindOf } from '../../src/store/format/file-kinds.ts';
import type { repair as Repair } from '../../src/workflows/care/repair.ts';
import type { verify as Verify } from '../../src/workflows/care/verify.ts';
import { built } from '../support/built.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const { verify } = await built<{ readonly verify: typeof Verify }>('workflows/care/verify.js');
const { repair } = await built<{ readonly repair: typeof Repair }>('workflows/care/repair.js');

/** Damages of each file; DAMAGES_EACH=13: all of them, as bench/faults/damages.mjs tries them. */
const EACH = Number(process.env['DAMAGES_EACH'] ?? 1);
const folder = temporaryFolders();
let whole: string;

beforeAll(async () => {
  const dataset = await stripedDataset(join(folder(), 'Stripes'), 3, 2);
  whole = join(folder(), 'whole');
  await makeFullStore(dataset, whole, join(dataset, 'Val', 'down', '0.png'));
}, 600_000);

describe('a store that has everything', () => {
  it('is whole, and every file in it is of a kind that the table knows', async () => {
    expect(await verify(whole)).toMatchObject({ ok: true, damaged: [], unfinished: [], orphans: [] });
    const names = filesBelow(whole);
    expect(names.filter((name) => kindOf(name) === undefined)).toEqual([]);
    // What this store does not have: what kills leave, and what comes and goes.
    const seen = new Set(names.map((name) => kindOf(name)!.kind));
    const unseen = Object.keys(FILE_KINDS).filter((kind) => !seen.has(kind as keyof typeof FILE_KINDS));
    expect(unseen.sort()).toEqual(['cut line', 'lock', 'plan state', 'unfinished file', 'unsealed rows']);
  });

  it('the table of the documentation has every kind', () => {
    const text = readFileSync(new URL('../../docs/store-format.md', import.meta.url), 'utf8');
    const table = text.split('## What each file is proven by')[1]!.split('\n## ')[0]!;
    const listed = [...table.matchAll(/^\| ([a-z ,-]+) \|/gm)].flatMap(([, kinds]) => kinds!.split(', '));
    expect(listed.filter((kind) => kind !== 'kind').sort()).toEqual(Object.keys(FILE_KINDS).sort());
  });

  it('is damaged nowhere unnoticed, and no reader answers otherwise or without words', async () => {
    const store = join(folder(), 'store');
    cpSync(whole, store, { recursive: true });
    const readers = readersOf(whole);
    const expected: Record<string, string> = {};
    for (const [name, read] of Object.entries(readers)) expected[name] = await answerOf(read, store);
    expect(Object.entries(expected).filter(([, answer]) => !answer.startsWith('='))).toEqual([]);
    const damages = Object.keys(DAMAGES);
    const found: string[] = [];
    let [turn, runs] = [0, 0];
    for (const name of filesBelow(whole)) {
      for (let i = 0; i < EACH; i++) {
        // Its step is no divisor of their number: each kind meets all of them over its files.
        const damage = damages[(turn = (turn + 5) % damages.length)]!;
        const one = { whole, store, name, damage };
        // Repairs that extract take a network: the bench tries them all.
        const isRepaired = EACH === damages.length || kindOf(name)!.remedy !== 'extract';
        const program = { verify, repair, readers: EACH === damages.length ? readers : {} };
        const result = await tried(program, one, expected, { isFree, isRepaired });
        if (result === undefined) continue;
        runs++;
        found.push(...result.findings.map((finding) => `${name}, ${damage}: ${finding}`));
      }
    }
    console.log(`${runs} damages, ${found.length} findings`);
    expect(found).toEqual([]);
    expect(runs).toBeGreaterThanOrEqual(60 * EACH);
  }, 900_000);

  it('keeps every file of a person through a repair and a collection of a damaged store', async () => {
    const store = join(folder(), 'store');
    const own = filesBelow(whole).filter((name) => /^(studio[\\/](images|.*\.jsonl$|labels)|taught)/.test(name));
    expect(own.length).toBeGreaterThan(5);
    for (const name of own.filter((one) => kindOf(one)!.proof !== 'none' && kindOf(one)!.remedy === 'tell')) {
      rmSync(store, { recursive: true, force: true });
      cpSync(whole, store, { recursive: true });
      const bytes = readFileSync(join(store, name));
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(join(store, name), bytes);
      const before = own.map((one) => readFileSync(join(store, one), 'latin1'));
      const { next } = await repair(store);
      expect(next).toContain(name);
      const { gc } = await built<{ gc: (path: string) => Promise<unknown> }>('workflows/care/gc.js');
      await gc(store);
      expect(own.map((one) => readFileSync(join(store, one), 'latin1'))).toEqual(before);
    }
  }, 600_000);
});
