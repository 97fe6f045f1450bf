import { copyFileSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../../src/core/random.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { extractPart } from '../../../src/workflows/machines/part.ts';
import { plan } from '../../../src/workflows/machines/plan.ts';
import { merge } from '../../../src/workflows/machines/merge.ts';
import { permafrost } from '../../support/command.ts';
import { textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { promisedFiles, SIX_A_UNIT } from '../../support/machines.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';

const folder = temporaryFolders();
const HOOK = fileURLToPath(new URL('../../support/kill-at-change.mjs', import.meta.url));

/** A run of the built program that ends itself before its n-th change to the file system; 0: never. */
const killedAt = (n: number, args: readonly string[], changes = join(folder(), 'changes')) =>
  permafrost(args, { node: ['--import', HOOK], env: { KILL_AT: String(n), CHANGES: changes } });

/** How many changes a command makes when nobody kills it. */
async function changesOf(args: readonly string[]): Promise<number> {
  const file = join(folder(), 'changes');
  const { code, stderr } = await killedAt(0, args, file);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return Number(readFileSync(file, 'utf8'));
}

let expected: Record<string, string>;
let planned: string;
let extracted: string;

beforeAll(async () => {
  const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(7));
  copyFileSync(join(dataset, 'a/p1.png'), join(dataset, 'b/z-copy.png'));
  const alone = join(folder(), 'alone');
  await extract(dataset, { ...SIX_A_UNIT, store: alone });
  expected = promisedFiles(alone);
  planned = join(folder(), 'planned');
  const { plan: path, run } = await plan(dataset, { ...SIX_A_UNIT, store: planned });
  extracted = join(folder(), 'extracted');
  cpSync(planned, extracted, { recursive: true });
  await extractPart(path.replace(planned, extracted), { part: '1/1' });
  expect(readdirSync(join(extracted, 'parts', run)).filter((name) => name.startsWith('u-'))).toHaveLength(3);
}, 300_000);

describe('a process that is killed at any change that it makes to the disk', () => {
  it('while it merges costs nothing: the same command again gives the same store', async () => {
    const copy = (): string => {
      const store = join(folder(), 'store');
      cpSync(extracted, store, { recursive: true });
      return store;
    };
    const changes = await changesOf(['merge', copy(), '--quiet']);
    expect(changes).toBeGreaterThan(30);
    const generator = random(5);
    const moments = [2, changes - 1, ...Array.from({ length: 6 }, () => 1 + generator.below(changes))];
    for (const moment of moments) {
      const one = copy();
      const killed = await killedAt(moment, ['merge', one, '--quiet']);
      expect({ moment, ...killed }).toMatchObject({ code: null });
      const { code: again, stderr } = await permafrost(['merge', one, '--quiet']);
      // Nothing is left to merge where it died while it removed what was merged; the next writer takes its lock over.
      if (again !== 0) expect({ moment, stderr }).toMatchObject({ stderr: textWith('PLAN_NOT_FOUND') });
      const found = Object.fromEntries(
        Object.entries(promisedFiles(one)).filter(([name]) => !name.startsWith('writer.lock')),
      );
      expect({ moment, found }).toEqual({ moment, found: expected });
      expect(await verify(one)).toMatchObject({ ok: true, orphans: [] });
    }
  }, 600_000);

  it('while it extracts costs at most the unit under way', async () => {
    const store = join(folder(), 'store');
    cpSync(planned, store, { recursive: true });
    const [run] = readdirSync(join(store, 'parts'));
    const path = join(store, 'parts', run!);
    const args = ['extract', '--plan', path, '--part', '1/1', '--quiet'];
    const published = (): number => readdirSync(path).filter((name) => name.startsWith('u-')).length;
    for (const moment of [30, 60, 45]) {
      const before = published();
      const { code } = await killedAt(moment, args);
      if (code === null) expect(published()).toBeGreaterThanOrEqual(before);
    }
    expect((await permafrost(args)).code).toBe(0);
    await merge(store);
    expect(promisedFiles(store)).toEqual(expected);
  }, 600_000);
});
